package sleigh

import (
	"bytes"
	"context"
	"sync"

	"github.com/netspaces/netspaces/workspace"
)

// lines cuts what is written into lines.
type lines struct {
	begun bool   // a line has
	line  []byte // the beginning of it
	more  int    // bytes of it that are left out
}

func (l *lines) take(text []byte, emit func(text string)) {
	for len(text) > 0 {
		part, rest, ended := bytes.Cut(text, []byte("\n"))
		n := min(lineBytes-len(l.line), len(part))
		l.line = append(l.line, part[:n]...)
		l.more += len(part) - n
		if l.begun = true; ended {
			l.end(emit)
		}
		text = rest
	}
}

// end ends a line that has begun.
func (l *lines) end(emit func(text string)) {
	if l.begun {
		emit(cut(string(l.line), l.more))
		l.line, l.more, l.begun = l.line[:0], 0, false
	}
}

// stderrWriter takes what the worker processes of a rank write to their standard error, one after the other. Writing to it
// never blocks for long: see outbox.
type stderrWriter struct {
	out   *outbox
	mu    sync.Mutex
	lines lines
}

// stderrHere is for worker processes that the master launched on a host: their lines need no Redis, which may be what they
// are about.
func (l *listener) stderrHere(rank int, host string) *stderrWriter {
	return newStderrWriter(
		func(before, left int, lines []printed) ([]byte, int) {
			return pageOf(rank, host, "", before, left, lines)
		},
		func(_ context.Context, text []byte) error {
			l.take(text)
			return nil
		})
}

// stderrThere is for those that another process launched.
func stderrThere(own *workspace.Workspace, lasts bool, rank int) *stderrWriter {
	host := hostname()
	return newStderrWriter(
		func(before, left int, lines []printed) ([]byte, int) {
			return pageOf(rank, host, own.Client(), before, left, lines)
		},
		func(ctx context.Context, text []byte) error { return storePage(ctx, own, lasts, text) })
}

func newStderrWriter(page func(before, left int, lines []printed) ([]byte, int), store func(context.Context, []byte) error) *stderrWriter {
	o := &outbox{page: page, store: store}
	o.ctx, o.cancel = context.WithCancel(context.Background())
	return &stderrWriter{out: o}
}

// Write never fails.
func (s *stderrWriter) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines.take(text, s.emit)
	return len(text), nil
}

func (s *stderrWriter) emit(text string) { s.out.add(printed{Stream: Stderr, Text: text}) }

// ended is called when a process has ended.
func (s *stderrWriter) ended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines.end(s.emit)
	s.out.flush()
}

// close is called when there will be no other.
func (s *stderrWriter) close() { s.out.close() }
