package cli

import (
	"errors"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"

	"golang.org/x/term"
)

// Screen is stdout or stderr, and how it is shown.
type Screen struct {
	Terminal bool // a person looks at it
	Color    bool // it is a terminal, and colours are wanted

	file *os.File
	gone func() // is told once nobody reads any more

	through atomic.Pointer[through]
}

type through func(data []byte, write func([]byte) (int, error)) (int, error)

func newScreen(file *os.File, color bool, gone func()) *Screen {
	terminal := term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb"
	return &Screen{Terminal: terminal, Color: terminal && color, file: file, gone: gone}
}

// Through has f do all writes to the screen, by calling write: as for what is to stand above a bar. With nil, that is over.
func (s *Screen) Through(f func(data []byte, write func([]byte) (int, error)) (int, error)) {
	if f == nil {
		s.through.Store(nil)
		return
	}
	s.through.Store((*through)(&f))
}

// Write writes through, unbuffered.
func (s *Screen) Write(data []byte) (int, error) {
	if f := s.through.Load(); f != nil {
		return (*f)(data, s.write)
	}
	return s.write(data)
}

func (s *Screen) write(data []byte) (int, error) {
	n, err := s.file.Write(data)
	if errors.Is(err, syscall.EPIPE) {
		s.gone()
		err = errPipe
	}
	return n, err
}

// Size returns how many columns and rows the terminal has at this moment, or zeros where there is none.
func (s *Screen) Size() (columns, rows int) {
	if !s.Terminal {
		return 0, 0
	}
	columns, rows, err := term.GetSize(int(s.file.Fd()))
	if err != nil || columns <= 0 || rows <= 0 {
		columns, _ = strconv.Atoi(os.Getenv("COLUMNS"))
		rows, _ = strconv.Atoi(os.Getenv("LINES"))
	}
	if columns <= 0 {
		columns = 80
	}
	if rows <= 0 {
		rows = 24
	}
	return columns, rows
}

// File is the file below, for libraries that want one.
func (s *Screen) File() *os.File { return s.file }

// Bold makes a text bold where there are colours.
func (s *Screen) Bold(text string) string {
	if !s.Color {
		return text
	}
	return "\x1b[1m" + text + "\x1b[0m"
}
