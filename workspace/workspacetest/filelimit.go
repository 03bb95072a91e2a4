package workspacetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/netspaces/netspaces/workspace"
)

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
