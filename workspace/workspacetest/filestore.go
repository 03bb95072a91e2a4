package workspacetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing/iotest"

	"github.com/netspaces/netspaces/workspace"
)

// storesFile checks how many bytes were stored.
func (s *site) storesFile(ws *workspace.Workspace, variable string, r io.Reader, n, want int64) {
	s.Helper()
	if got, err := ws.StoreFile(s.ctx, variable, r, n); got != want || err != nil {
		s.Fatalf("StoreFile of %d bytes: %d, %v; want %d", n, got, err, want)
	}
}

// atTheEnd checks that there is nothing more to store.
func (s *site) atTheEnd(ws *workspace.Workspace, variable string, r io.Reader, n int64) {
	s.Helper()
	got, err := ws.StoreFile(s.ctx, variable, r, n)
	if s.wantErr(err, io.EOF); got != 0 {
		s.Fatalf("StoreFile says that it stored %d bytes at the end", got)
	}
}

func f1StoresTheNextBytes(s *site) {
	ws := s.open()
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"plain":    func(r io.Reader) io.Reader { return r },
		"a byte":   iotest.OneByteReader,
		"half":     iotest.HalfReader,
		"eof soon": iotest.DataErrReader,
	} {
		r := wrap(strings.NewReader("0123456789"))
		s.storesFile(ws, name, r, 4, 4)
		s.storesFile(ws, name, r, 1, 1)
		s.storesFile(ws, name, r, 4, 4)
		s.storesFile(ws, name, r, 4, 1)
		s.atTheEnd(ws, name, r, 4)
		s.holds(ws, name, "0123", "4", "5678", "9")
	}
	// The sizes fit: the end comes after the last piece.
	r := strings.NewReader("01234567")
	s.storesFile(ws, "v", r, 4, 4)
	s.storesFile(ws, "v", r, 4, 4)
	s.atTheEnd(ws, "v", r, 4)
	s.storesFile(ws, "v", strings.NewReader("01234567"), 8, 8)
	s.storesFile(ws, "v", strings.NewReader("01234567"), 9, 8)
	s.holds(ws, "v", "0123", "4567", "01234567", "01234567")
}

func f1StoresAllThatIsLeft(s *site) {
	ws := s.open()
	for _, n := range []int64{0, -1} {
		r := strings.NewReader("0123456789")
		s.storesFile(ws, "v", r, 4, 4)
		s.storesFile(ws, "v", r, n, 6)
		s.atTheEnd(ws, "v", r, n)
		s.holds(ws, "v", "0123", "456789")
	}
	all := random(3 << 20)
	s.storesFile(ws, "v", bytes.NewReader(all), 0, int64(len(all)))
	s.holds(ws, "v", string(all))
}

// Nothing is stored at the end, not even an empty value, and the variable is not made.
func f1EndOfTheInput(s *site) {
	ws := s.open()
	for _, n := range []int64{-1, 0, 1, 1 << 20} {
		s.atTheEnd(ws, "v", strings.NewReader(""), n)
	}
	if info := s.info(ws, "v"); info.Name != "" {
		s.Errorf("at the end of its input StoreFile made %+v", info)
	}
	waiter := s.fetch(ws, "v")
	s.waiting(ws, "v", 1, 0)
	s.atTheEnd(ws, "v", strings.NewReader(""), 1)
	s.waiting(ws, "v", 1, 0)
	s.store(ws, "v", []byte{})
	waiter.gets("")
}

func f1ReaderFails(s *site) {
	ws := s.open()
	broken := errors.New("the disk is broken")
	for _, n := range []int64{0, 4, 20} {
		r := io.MultiReader(strings.NewReader("012"), iotest.ErrReader(broken))
		got, err := ws.StoreFile(s.ctx, "v", r, n)
		s.wantErr(err, broken)
		if s.names(err, s.name(), "v"); got != 0 {
			s.Errorf("StoreFile says that it stored %d bytes", got)
		}
	}
	s.holds(ws, "v")

	over, cancel := context.WithCancel(s.ctx)
	cancel()
	_, err := ws.StoreFile(over, "v", strings.NewReader("0123"), 0)
	s.wantErr(err, context.Canceled)
	s.holds(ws, "v")
}

// What follows the n bytes is left for others to read.
func f1ReadsNoMore(s *site) {
	ws := s.open()
	r := strings.NewReader("0123456789")
	s.storesFile(ws, "v", r, 4, 4)
	if r.Len() != 6 {
		s.Errorf("%d bytes are left, want 6", r.Len())
	}
	s.holds(ws, "v", "0123")
}
