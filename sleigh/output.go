package sleigh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// Line is a line that a worker printed, or a record that it logged, which may have several.
type Line struct {
	Worker int        `json:"worker"`         // rank; -1 where a command of Command printed it
	Host   string     `json:"host"`           // of the worker
	Job    string     `json:"job,omitempty"`  // its id; empty where it is not known, as Index then is
	Index  int        `json:"index"`          // of the element, or with EachWorker the rank; -1 where it is not known
	Time   time.Time  `json:"time"`           // of the worker's clock
	Stream Stream     `json:"stream"`         // what it was written to
	Level  slog.Level `json:"level"`          // of a record
	Text   string     `json:"text"`           // without the newline; a record has its attributes after its message
	Left   int        `json:"left,omitempty"` // lines of this worker that are missing here, as Text says then; else 0
}

// Stream is what a line was written to.
type Stream string

// The streams. Logged is that of the logger that Log returns, and of log/slog in a worker process. Package log writes to
// Stderr, and so do the Go runtime and libraries that are not of Go.
const (
	Stdout Stream = "stdout"
	Stderr Stream = "stderr"
	Logged Stream = "log"
)

// String is the text, after the worker that it is from: worker 3 (host): text. It ends with a newline.
func (l Line) String() string {
	who := fmt.Sprintf("worker %d: ", l.Worker)
	switch {
	case l.Worker < 0:
		who = l.Host + ": "
	case l.Host != "":
		who = fmt.Sprintf("worker %d (%s): ", l.Worker, l.Host)
	}
	if l.Stream == Logged {
		who += l.Level.String() + " "
	}
	return who + strings.ReplaceAll(strings.TrimSuffix(l.Text, "\n"), "\n", "\n"+who) + "\n"
}

// toStderr is what is done with lines if nothing else is said.
func toStderr(l Line) { fmt.Fprint(os.Stderr, l) } // in one piece

const (
	pagesAtATime = 8
	linesWait    = 3 * time.Second // a job that has ended waits no longer for lines that it printed
)

// listener takes the lines of the workers at the master.
type listener struct {
	s       *Sleigh
	output  func(Line)
	knows   func(job string) bool // whether lines of a job are for this master; nil: all are
	cancel  context.CancelFunc
	running sync.WaitGroup

	calling sync.Mutex        // held while output is called
	hosts   map[string]string // of clients

	mu    sync.Mutex
	heard map[string]int // how far they have been handed over, by client
	more  chan struct{}  // closed when there are more
}

func (s *Sleigh) listen(output func(Line)) *listener {
	if output == nil {
		output = toStderr
	}
	l := &listener{s: s, output: output, hosts: map[string]string{}, heard: map[string]int{}, more: make(chan struct{})}
	if s.lasts {
		l.knows = s.knows
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	l.running.Go(func() { l.run(ctx) })
	return l
}

func (l *listener) run(ctx context.Context) {
	next := l.s.own.FetchN
	if l.s.lasts {
		next = l.follow(ctx)
	}
	for ctx.Err() == nil {
		pages, err := next(ctx, logVar, pagesAtATime)
		for _, text := range pages {
			l.take(text)
		}
		switch {
		case err == nil || ctx.Err() != nil || errors.Is(err, workspace.ErrVarDeleted):
		case isOver(err):
			return
		default:
			select {
			case <-time.After(retryPause):
			case <-ctx.Done():
			}
		}
	}
}

// follow reads pages that come from now on, and leaves them to other masters.
func (l *listener) follow(ctx context.Context) func(ctx context.Context, name string, n int) ([][]byte, error) {
	pages := workspace.NewVar[[]byte](l.s.own, logVar).IFind()
	for _, err := range pages.Try(ctx) {
		if err != nil {
			break // then some come that were there before
		}
	}
	return func(ctx context.Context, _ string, _ int) ([][]byte, error) {
		for text, err := range pages.All(ctx) {
			if err != nil {
				return nil, err
			}
			return [][]byte{text}, nil
		}
		return nil, ctx.Err()
	}
}

// take hands over the lines of a page.
func (l *listener) take(text []byte) {
	var p page
	if err := json.Unmarshal(text, &p); err != nil {
		l.s.log.Warn("lines of workers are not readable", "error", err)
		return
	}
	l.calling.Lock()
	defer l.calling.Unlock()
	for whose, n := range p.Left {
		rank, client := parseWhose(whose)
		l.output(leftOut(rank, l.hosts[client], n))
	}
	for _, b := range p.Batches {
		l.hosts[b.Client] = b.Host
		for _, line := range b.Lines {
			if line.Job == "" || l.knows == nil || l.knows(line.Job) {
				l.output(b.line(line))
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for whose, n := range p.Left {
		_, client := parseWhose(whose)
		l.heard[client] += n
	}
	for _, b := range p.Batches {
		l.heard[b.Client] = max(l.heard[b.Client], b.Total)
	}
	close(l.more)
	l.more = make(chan struct{})
}

// leftOut stands for lines that are missing.
func leftOut(rank int, host string, n int) Line {
	return Line{Worker: rank, Host: host, Index: -1, Time: time.Now(), Stream: Stderr, Left: n, Text: fmt.Sprintf("… %d lines were left out", n)}
}

// await waits until so many lines of each client have been handed over, but not for long, and only once for those that are
// lost.
func (l *listener) await(ctx context.Context, said printers) {
	late := time.NewTimer(linesWait)
	defer late.Stop()
	for {
		l.mu.Lock()
		more, all := l.more, true
		for client, n := range said {
			all = all && l.heard[client] >= n
		}
		l.mu.Unlock()
		if all {
			return
		}
		select {
		case <-more:
		case <-late.C:
			l.mu.Lock()
			defer l.mu.Unlock()
			for client, n := range said {
				l.heard[client] = max(l.heard[client], n)
			}
			return
		case <-ctx.Done():
			return
		}
	}
}

// end takes what is left, and returns when there is nothing more to come.
func (l *listener) end() {
	l.cancel()
	l.running.Wait()
	if l.s.lasts {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), linesWait)
	defer cancel()
	for {
		var text []byte
		found, err := l.s.own.TryFetch(ctx, logVar, &text)
		if !found || err != nil {
			return
		}
		l.take(text)
	}
}

// printers is how many lines workers had printed when the results of a job were made: how many that were ever, by client.
type printers map[string]int

func (p printers) note(r *result) {
	if r.Printed != nil {
		p[r.Printed.Client] = max(p[r.Printed.Client], r.Printed.Lines)
	}
}

// printedLines is how many lines a worker has printed.
type printedLines struct {
	Client string `json:"client"`
	Lines  int    `json:"lines"`
}

// printed is nil if the worker has printed nothing ever.
func (w *Worker) printed() *printedLines {
	if c := w.capture; c != nil {
		c.catchUp()
	}
	if n := w.out.lines(); n > 0 {
		return &printedLines{Client: w.own.Client(), Lines: n}
	}
	return nil
}
