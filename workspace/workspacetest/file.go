package workspacetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing/iotest"

	"github.com/netspaces/netspaces/workspace"
)

var fileTests = []test{
	{"F1StoresTheNextBytes", f1StoresTheNextBytes},
	{"F1StoresAllThatIsLeft", f1StoresAllThatIsLeft},
	{"F1EndOfTheInput", f1EndOfTheInput},
	{"F1ReaderFails", f1ReaderFails},
	{"F1ReadsNoMore", f1ReadsNoMore},
	{"F2FetchAndFind", f2FetchAndFind},
	{"F2Try", f2Try},
	{"F2Waits", f2Waits},
	{"F2WriterFails", f2WriterFails},
	{"F2AnyValue", f2AnyValue},
	{"F3Limit", f3Limit},
	{"F3EndlessReader", f3EndlessReader},
	{"F3LargestValue", f3LargestValue},
	{"F3InPieces", f3InPieces},
}

// random gives n bytes, the same each time.
func random(n int) []byte {
	chance := rand.New(rand.NewPCG(1, uint64(n)))
	text := make([]byte, n)
	for i := range text {
		text[i] = byte(chance.Uint32())
	}
	return text
}

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

// wantLimit checks that an error names the limit.
func (s *site) wantLimit(err error) {
	s.Helper()
	s.wantErr(err, workspace.ErrValue)
	if s.names(err, s.name(), "v"); !strings.Contains(err.Error(), strconv.Itoa(workspace.MaxValue)) {
		s.Errorf("the error does not name the limit: %v", err)
	}
}

// counting counts what is read.
type counting struct {
	r    io.Reader
	read int64
}

func (c *counting) Read(into []byte) (int, error) {
	n, err := c.r.Read(into)
	c.read += int64(n)
	return n, err
}

type zeros struct{}

func (zeros) Read(into []byte) (int, error) {
	clear(into)
	return len(into), nil
}

func f3Limit(s *site) {
	ws := s.open()
	r := &counting{r: zeros{}}
	n, err := ws.StoreFile(s.ctx, "v", r, workspace.MaxValue+1)
	if s.wantLimit(err); n != 0 || r.read != 0 {
		s.Errorf("%d bytes were stored, %d read", n, r.read)
	}
	tooLong := make([]byte, workspace.MaxValue+1)
	s.wantLimit(ws.Store(s.ctx, "v", tooLong))
	s.wantLimit(ws.StoreAll(s.ctx, "v", 1, tooLong))
	claimed := s.use(s.rdb)
	s.store(ws, "task", 1)
	claim := s.claim(claimed, "task", nil)
	s.wantLimit(claim.Settle(s.ctx, workspace.Outcome{Index: claim.Values[0].Index, Into: "v", Value: tooLong}))
	s.must(settleAll(s.ctx, claim, "")) // the claim is as it was
	s.holds(ws, "v")
}

func f3EndlessReader(s *site) {
	ws := s.open()
	r := &counting{r: zeros{}}
	n, err := ws.StoreFile(s.ctx, "v", r, 0)
	if s.wantLimit(err); n != 0 || r.read > workspace.MaxValue+1<<20 {
		s.Errorf("%d bytes were stored, %d read", n, r.read)
	}
	s.holds(ws, "v")
	s.storesFile(ws, "v", r, 10, 10)
	s.holds(ws, "v", strings.Repeat("\x00", 10))
}

func f3LargestValue(s *site) {
	ws := s.open()
	s.storesFile(ws, "v", io.LimitReader(zeros{}, workspace.MaxValue), 0, workspace.MaxValue)
	hash := sha256.New()
	n, err := ws.FetchFile(s.ctx, "v", hash)
	s.must(err)
	want := sha256.New()
	_, err = io.CopyN(want, zeros{}, workspace.MaxValue)
	s.must(err)
	if n != workspace.MaxValue || !bytes.Equal(hash.Sum(nil), want.Sum(nil)) {
		s.Errorf("%d bytes came, or not these", n)
	}
	s.holds(ws, "v")
}

// A file of any size goes in pieces, as the loop of StoreFile's documentation has it, and comes out whole.
func f3InPieces(s *site) {
	const piece = 1 << 20
	ws := s.open()
	away := s.use(s.client())
	for _, size := range []int{1, piece - 1, piece, piece + 1, 3 * piece, 9*piece + 12345} {
		want := random(size)
		stored := s.start("storing of a file", func(ctx context.Context, p *pending) {
			r := bytes.NewReader(want)
			for p.err == nil {
				_, p.err = ws.StoreFile(ctx, "v", r, piece)
			}
		})
		var got bytes.Buffer
		var sizes []int64
		for got.Len() < size {
			n, err := away.FetchFile(s.ctx, "v", &got)
			s.must(err)
			sizes = append(sizes, n)
		}
		stored.fails(io.EOF)
		if !bytes.Equal(got.Bytes(), want) {
			s.Fatalf("a file of %d bytes did not come out as it was", size)
		}
		if len(sizes) != (size+piece-1)/piece || slices.Max(sizes) > piece {
			s.Errorf("%d bytes came in pieces of %d", size, sizes)
		}
		s.holds(ws, "v")
	}
}
