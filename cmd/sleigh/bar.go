package main

import (
	"bytes"
	"math"
	"sync"
	"time"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/schollz/progressbar/v3"
)

const redrawEvery = 100 * time.Millisecond

// bar is a line on stderr that shows how far something is, below what is printed meanwhile.
type bar struct {
	ended   chan struct{}
	drawing sync.WaitGroup
	once    sync.Once

	screens []*cli.Screen // that are on the terminal

	mu      sync.Mutex // held while anything is written there
	bar     *progressbar.ProgressBar
	options []progressbar.Option
	total   int  // -1 while it is not known
	midLine bool // the cursor is not where a line begins, where the bar may be
}

// newBar begins to show a bar for so many things, or for -1 as long as that is not known. What the program prints
// meanwhile stands above it. It returns nil, which shows nothing, where stderr is no terminal, or is to be quiet. end must be
// called.
func newBar(r *cli.Run, total int, what string) *bar {
	columns, _ := r.Stderr.Size()
	if !r.Stderr.Terminal || r.Quiet {
		return nil
	}
	b := &bar{ended: make(chan struct{}), total: total}
	b.options = []progressbar.Option{
		progressbar.OptionSetWriter(r.Stderr.File()), // which it asks for its width
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSpinnerType(9),
		progressbar.OptionSetSpinnerChangeInterval(0), // else the library draws it from a goroutine of its own
		progressbar.OptionSetItsString(what),
	}
	// What stands beside the bar does not become narrower by itself. Some columns are for the ^C that a terminal puts there.
	beside := 20
	switch {
	case columns >= 76:
		beside = 60
		b.options = append(b.options, progressbar.OptionShowCount(), progressbar.OptionShowIts())
	case columns >= 50:
		beside = 45
		b.options = append(b.options, progressbar.OptionShowCount())
	default:
		b.options = append(b.options, progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false))
	}
	b.options = append(b.options, progressbar.OptionSetWidth(min(max(columns-beside, 5), 40)))
	b.bar = b.begin()
	for _, s := range []*cli.Screen{r.Stdout, r.Stderr} {
		if s.Terminal {
			b.screens = append(b.screens, s)
			s.Through(b.above)
		}
	}
	b.drawing.Go(b.redraw)
	return b
}

func (b *bar) begin() *progressbar.ProgressBar {
	most := b.total
	if most == 0 {
		most = math.MaxInt32 // the library wants more than nothing
	}
	return progressbar.NewOptions(most, b.options...)
}

// redraw draws the bar anew, for what has been printed over it, and for the time that goes by.
func (b *bar) redraw() {
	ticks := time.NewTicker(redrawEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
		case <-b.ended:
			return
		}
		b.mu.Lock()
		if !b.midLine {
			_ = b.bar.RenderBlank()
		}
		b.mu.Unlock()
	}
}

// show shows how many are done; what stands before the bar, such as how many failed, may be empty.
func (b *bar) show(done int, before string) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.midLine || b.total == 0 {
		return
	}
	if before != "" {
		b.bar.Describe(before)
	}
	if b.total > 0 {
		done = min(done, b.total)
	}
	_ = b.bar.Set(done)
}

// setTotal says how many there are, now that it is known.
func (b *bar) setTotal(total int) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if total != b.total {
		b.total = total
		_ = b.bar.Clear()
		b.bar = b.begin()
	}
}

// above writes what the program prints above the bar.
func (b *bar) above(text []byte, write func([]byte) (int, error)) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(text) == 0 {
		return 0, nil
	}
	if !b.midLine {
		_ = b.bar.Clear()
	}
	b.midLine = !bytes.HasSuffix(text, []byte("\n"))
	return write(text)
}

// end leaves no bar behind. It may be called twice.
func (b *bar) end() {
	if b == nil {
		return
	}
	b.once.Do(func() {
		close(b.ended)
		b.drawing.Wait()
		for _, s := range b.screens {
			s.Through(nil)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if !b.midLine {
			_ = b.bar.Clear()
		}
	})
}
