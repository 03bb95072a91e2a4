package workspacetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/netspaces/netspaces/workspace"
)

func f2FetchAndFind(s *site) {
	ws := s.open()
	want := random(100_000)
	s.storesFile(ws, "v", bytes.NewReader(want), 0, int64(len(want)))
	for _, verb := range []func(context.Context, string, io.Writer) (int64, error){ws.FindFile, ws.FindFile, ws.FetchFile} {
		var got bytes.Buffer
		n, err := verb(s.ctx, "v", &got)
		s.must(err)
		if n != int64(len(want)) || !bytes.Equal(got.Bytes(), want) {
			s.Fatalf("%d bytes came, and it says %d; want %d", got.Len(), n, len(want))
		}
	}
	s.holds(ws, "v")
}

func f2Try(s *site) {
	ws := s.open()
	var out bytes.Buffer
	tries := []func(context.Context, string, io.Writer) (int64, bool, error){ws.TryFindFile, ws.TryFindFile, ws.TryFetchFile}
	for _, try := range tries {
		if n, ok, err := try(s.ctx, "v", &out); n != 0 || ok || err != nil || out.Len() > 0 {
			s.Fatalf("a file out of nothing: %d, %t, %v: %q", n, ok, err, out.Bytes())
		}
	}
	s.waiting(ws, "v", 0, 0)
	s.store(ws, "v", []byte("abc"), []byte{})
	for _, try := range tries {
		out.Reset()
		if n, ok, err := try(s.ctx, "v", &out); n != 3 || !ok || err != nil || out.String() != "abc" {
			s.Fatalf("got %d, %t, %v: %q", n, ok, err, out.Bytes())
		}
	}
	out.Reset()
	for _, try := range tries { // an empty value is one
		if n, ok, err := try(s.ctx, "v", &out); n != 0 || !ok || err != nil || out.Len() > 0 {
			s.Fatalf("got %d, %t, %v: %q", n, ok, err, out.Bytes())
		}
	}
	s.holds(ws, "v")
}

func f2Waits(s *site) {
	ws := s.open()
	file := func(verb func(context.Context, string, io.Writer) (int64, error)) *pending {
		return s.start("file", func(ctx context.Context, p *pending) {
			var out bytes.Buffer
			_, p.err = verb(ctx, "v", &out)
			p.value = out.String()
		})
	}
	fetch, find := file(ws.FetchFile), file(ws.FindFile)
	s.waiting(ws, "v", 1, 1)
	s.storesFile(ws, "v", strings.NewReader("content"), 0, 7)
	fetch.gets("content")
	find.gets("content")
	fetch, find = file(ws.FetchFile), file(ws.FindFile)
	s.waiting(ws, "v", 1, 1)
	fetch.cancel()
	find.cancel()
	fetch.fails(context.Canceled)
	find.fails(context.Canceled)
	s.waiting(ws, "v", 0, 0)
	fetch, find = file(ws.FetchFile), file(ws.FindFile)
	s.waiting(ws, "v", 1, 1)
	s.must(ws.DeleteVar(s.ctx, "v"))
	fetch.fails(workspace.ErrVarDeleted)
	find.fails(workspace.ErrVarDeleted)
}

// failing is a writer that is full after some bytes.
type failing struct {
	room int
	err  error
}

func (w *failing) Write(text []byte) (int, error) {
	n := min(w.room, len(text))
	w.room -= n
	if n < len(text) {
		return n, w.err
	}
	return n, nil
}

// What a writer did not take whole is there again, at its place, for the next who waits.
func f2WriterFails(s *site) {
	ws := s.open()
	full := errors.New("the disk is full")
	for _, mode := range []workspace.Mode{workspace.FIFO, workspace.LIFO, workspace.Single} {
		name := string(mode)
		s.declare(ws, name, mode)
		s.store(ws, name, []byte("first"), []byte("other"))
		left := s.info(ws, name).Values
		for room := range 5 {
			for verb, call := range map[string]func(io.Writer) (int64, error){
				"FetchFile": func(w io.Writer) (int64, error) { return ws.FetchFile(s.ctx, name, w) },
				"FindFile":  func(w io.Writer) (int64, error) { return ws.FindFile(s.ctx, name, w) },
				"TryFetchFile": func(w io.Writer) (int64, error) {
					n, ok, err := ws.TryFetchFile(s.ctx, name, w)
					if ok {
						s.Error("TryFetchFile says that it did")
					}
					return n, err
				},
				"TryFindFile": func(w io.Writer) (int64, error) {
					n, ok, err := ws.TryFindFile(s.ctx, name, w)
					if ok {
						s.Error("TryFindFile says that it did")
					}
					return n, err
				},
			} {
				n, err := call(&failing{room, full})
				s.wantErr(err, full)
				s.names(err, s.name(), name)
				if n != int64(room) {
					s.Errorf("%s says that it wrote %d bytes, want %d", verb, n, room)
				}
				if now := s.info(ws, name).Values; now != left {
					s.Fatalf("%d values are there after %s, want %d", now, verb, left)
				}
			}
		}
		want := map[workspace.Mode][]string{
			workspace.FIFO: {"first", "other"}, workspace.LIFO: {"other", "first"}, workspace.Single: {"other"},
		}[mode]
		s.holds(ws, name, want...)
	}

	fails := s.start("file", func(ctx context.Context, p *pending) {
		_, p.err = ws.FetchFile(ctx, "v", &failing{2, full})
	})
	s.waiting(ws, "v", 1, 0)
	next := s.fetch(ws, "v")
	s.waiting(ws, "v", 2, 0)
	s.store(ws, "v", []byte("abc"))
	fails.fails(full)
	next.gets("abc")
}

// Files are values like any other: what one verb stored, another can take.
func f2AnyValue(s *site) {
	ws := s.open()
	s.store(ws, "v", person{"Ada", 36}, "text")
	var out bytes.Buffer
	for range 2 {
		_, err := ws.FetchFile(s.ctx, "v", &out)
		s.must(err)
	}
	if got, want := out.String(), `{"Name":"Ada","Age":36}"text"`; got != want {
		s.Errorf("got %s, want %s", got, want)
	}
	s.storesFile(ws, "v", strings.NewReader(`{"Name":"Bob"}`), 0, 14)
	var got person
	if s.must(ws.Fetch(s.ctx, "v", &got)); got.Name != "Bob" {
		s.Errorf("got %+v", got)
	}
}
