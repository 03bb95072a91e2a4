//go:build unix

package programtest

import (
	"bytes"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// Screen is what was written to a terminal so far.
type Screen struct {
	t       *testing.T
	mu      sync.Mutex
	written bytes.Buffer
	more    chan struct{} // closed and replaced when something is written
	closed  chan struct{} // closed when nobody can write any more
}

// newScreen returns it with the end of the terminal that a program writes to.
func newScreen(t *testing.T) (*Screen, *os.File) {
	t.Helper()
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	s := &Screen{t: t, more: make(chan struct{}), closed: make(chan struct{})}
	go func() {
		defer close(s.closed)
		defer ptmx.Close()
		buf := make([]byte, 4096)
		for {
			n, err := ptmx.Read(buf)
			s.mu.Lock()
			s.written.Write(buf[:n])
			close(s.more)
			s.more = make(chan struct{})
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return s, tty
}

// Text is all that was written.
func (s *Screen) Text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written.String()
}

// Await returns once the text is as wanted.
func (s *Screen) Await(wanted func(text string) bool) {
	s.t.Helper()
	late := time.After(Patience)
	for {
		s.mu.Lock()
		text, more := s.written.String(), s.more
		s.mu.Unlock()
		if wanted(text) {
			return
		}
		select {
		case <-more:
		case <-late:
			s.t.Fatalf("the terminal has only\n%q", text)
		}
	}
}
