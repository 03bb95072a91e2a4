package sleigh

import (
	"bytes"
	"io"
	"sync"
)

// sieve passes on what is written to it, but for some lines that are for this program, until the last of these has come.
type sieve struct {
	to io.Writer
	// take is called with each line, without its end, and reports whether it is such a one, and whether it was the last.
	take func(line string) (taken, last bool)

	mu   sync.Mutex
	line []byte // that has begun
	open bool   // all passes
}

// Write never fails.
func (s *sieve) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(text)
	for !s.open {
		part, rest, ended := bytes.Cut(text, []byte("\n"))
		s.line = append(s.line, part...)
		if !ended {
			return n, nil
		}
		text = rest
		taken, last := s.take(string(bytes.TrimSuffix(s.line, []byte("\r"))))
		if !taken {
			_, _ = s.to.Write(append(s.line, '\n'))
		}
		s.line, s.open = s.line[:0], last
	}
	if len(text) > 0 {
		_, _ = s.to.Write(text)
	}
	return n, nil
}

// end passes on a line that has begun.
func (s *sieve) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.line) > 0 {
		_, _ = s.to.Write(append(s.line, '\n'))
	}
	s.line, s.open = nil, true
}
