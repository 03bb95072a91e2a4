package sleigh

import (
	"bytes"
	"context"
	"sync"
	"time"

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
	aside *outbox // has them too, for whoever looks in, where the master has them without Redis; else nil
	mu    sync.Mutex
	lines lines
}

// stderrHere is for worker processes that the master launched on a host: their lines need no Redis, which may be what they
// are about.
func (l *listener) stderrHere(rank int, host string) *stderrWriter {
	page := func(before, left int, lines []printed) ([]byte, int) {
		return pageOf(rank, host, "", before, left, lines)
	}
	s := newStderrWriter(page, func(_ context.Context, text []byte) error {
		l.take(text)
		return nil
	})
	s.aside = outboxOf(page, func(ctx context.Context, text []byte) error { return storeAside(ctx, l.s.own, text) })
	return s
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
	return &stderrWriter{out: outboxOf(page, store)}
}

// Write never fails.
func (s *stderrWriter) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines.take(text, s.emit)
	return len(text), nil
}

func (s *stderrWriter) emit(text string) {
	line := printed{At: time.Now(), Stream: Stderr, Text: text}
	s.out.add(line)
	if s.aside != nil {
		s.aside.add(line)
	}
}

// ended is called when a process has ended.
func (s *stderrWriter) ended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines.end(s.emit)
	s.out.flush()
	if s.aside != nil {
		s.aside.flush()
	}
}

// close is called when there will be no other.
func (s *stderrWriter) close() {
	s.out.close()
	if s.aside != nil {
		s.aside.close()
	}
}
