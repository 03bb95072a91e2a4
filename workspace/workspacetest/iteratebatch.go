package workspacetest

import (
	"bytes"
	"fmt"

	"github.com/netspaces/netspaces/workspace"
)

var iterateBatchTests = []test{
	{"IterateBigValues", iterateBigValues},
	{"IterateHugeValues", iterateHugeValues},
	{"IterateEmptyValues", iterateEmptyValues},
}

// bytewise are both kinds of iterators, for values as they are.
var bytewise = map[string]func(*workspace.Workspace, string) *workspace.Iterator[[]byte]{
	"IFind": func(ws *workspace.Workspace, variable string) *workspace.Iterator[[]byte] {
		return workspace.NewVar[[]byte](ws, variable).IFind()
	},
	"IFetch": func(ws *workspace.Workspace, variable string) *workspace.Iterator[[]byte] {
		return workspace.NewVar[[]byte](ws, variable).IFetch()
	},
}

// block is the i-th of some values of one size.
func block(i, size int) []byte {
	value := bytes.Repeat([]byte{byte(i)}, size)
	copy(value, fmt.Sprint(i))
	return value
}

// iterated stores n values of one size, and has them come in their order: by iterators, by FetchN, and by claims.
func (s *site) iterated(n, size int) {
	s.Helper()
	ws := s.open()
	values := make([]any, n)
	for i := range n {
		values[i] = block(i, size)
	}
	check := func(verb string, i int, value []byte) {
		s.Helper()
		if i >= n || !bytes.Equal(value, block(i, size)) {
			s.Fatalf("%s: value %d came as %.10q… with %d bytes", verb, i, value, len(value))
		}
	}
	s.store(ws, "v", values...)
	for _, name := range []string{"IFind", "IFetch"} {
		i := 0
		for value, err := range bytewise[name](ws, "v").Try(s.ctx) {
			s.must(err)
			check(name, i, value)
			i++
		}
		if i != n {
			s.Fatalf("%s gave %d values, want %d", name, i, n)
		}
	}
	s.store(ws, "v", values...)
	for i, calls := 0, 0; i < n; calls++ {
		some, err := ws.FetchN(s.ctx, "v", n)
		s.must(err)
		for _, value := range some {
			check("FetchN", i, value)
			i++
		}
		if n*size > 18<<20 && len(some) == n {
			s.Errorf("FetchN gave %d values of %d bytes in one go", n, size)
		}
	}
	s.waiting(ws, "v", 0, 0)
	s.holds(ws, "v")
}

// All values together are more than one reply holds, 16 MiB.
func iterateBigValues(s *site) { s.iterated(20, 1<<20) }

// Each value is more than one reply holds.
func iterateHugeValues(s *site) { s.iterated(2, 17<<20) }

func iterateEmptyValues(s *site) {
	ws := s.open()
	for name, iterator := range bytewise {
		s.store(ws, name, []byte{}, []byte{}, []byte("x"), []byte{})
		it, n := iterator(ws, name), 0
		for value, err := range it.Try(s.ctx) {
			if s.must(err); string(value) != []string{"", "", "x", ""}[n] {
				s.Errorf("%s: value %d is %q", name, n, value)
			}
			n++
		}
		if n != 4 {
			s.Errorf("%s gave %d values, want 4", name, n)
		}
	}
}
