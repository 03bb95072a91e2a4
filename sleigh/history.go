package sleigh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/netspaces/netspaces/workspace"
)

// The last pages of lines are kept for whoever looks in: see Lines. They are bounded by both of these.
const (
	recentVar   = "recent"
	recentPages = 1000
	recentBytes = 1 << 20
)

// Lines gives the last lines that workers printed and logged, of all masters' jobs, in about the order in which they came to
// Redis: those that are left of the last 1,000 pages or 1 MiB, where a page is what a worker printed within some 100 ms. If follow
// is true it then waits for those to come, until ctx ends, which is the last error then; lines that come faster than they are
// taken may be left out, and are counted (Line.Left). Masters get their lines all the same, by Options.Output. It ends at the
// first error: those of Find, and ErrStopped.
func (s *Sleigh) Lines(ctx context.Context, follow bool) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		h := history{heard: map[string]int{}, yield: yield}
		if err := s.readRecent(ctx, follow, h.take); err != nil && !errors.Is(err, errEnough) {
			yield(Line{}, err)
		}
	}
}

// errEnough says that nobody wants more.
var errEnough = errors.New("enough")

// readRecent hands over pages, until take returns an error.
func (s *Sleigh) readRecent(ctx context.Context, follow bool, take func(p *page) error) error {
	if err := s.over(); err != nil {
		return err
	}
	known, err := s.own.Known(ctx, recentVar) // asking for it would make it known
	if err != nil || !known && !follow {
		return s.visited(err)
	}
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	pages := workspace.NewVar[json.RawMessage](s.own, recentVar).IFind()
	next := pages.Try
	if follow {
		next = pages.All
	}
	for text, err := range next(within) {
		var p page
		switch over := s.over(); {
		case err != nil && over != nil:
			return over
		case err != nil:
			return s.visited(err)
		}
		if err := json.Unmarshal(text, &p); err != nil {
			return fmt.Errorf("sleigh: lines of workers are not readable: %w", err)
		}
		if err := take(&p); err != nil {
			return err
		}
	}
	return nil
}

// history hands over lines of the team.
type history struct {
	heard map[string]int // lines ever of which the last was handed over, or left out, by whose they are
	yield func(Line, error) bool
}

// take hands over the lines of a page.
func (h *history) take(p *page) error {
	for i := range p.Batches {
		b := &p.Batches[i]
		from := fmt.Sprint(b.Host, " ", whose(b.Worker, b.Client))
		heard, known := h.heard[from]
		if left := b.Total - b.count() - heard; known && left > 0 && !h.yield(leftOut(b.Worker, b.Host, left), nil) {
			return errEnough
		}
		h.heard[from] = b.Total
		for _, line := range b.Lines {
			if !h.yield(b.line(line), nil) {
				return errEnough
			}
		}
	}
	return nil
}
