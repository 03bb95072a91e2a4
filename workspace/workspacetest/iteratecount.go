package workspacetest

import (
	"fmt"

	"github.com/netspaces/netspaces/workspace"
)

var iterateCountTests = []test{
	{"I1ManyValuesTakeFewCalls", i1ManyValuesTakeFewCalls},
	{"I1EachStoreTakesFewCalls", i1EachStoreTakesFewCalls},
}

// A fast loop gets many values of one call.
func i1ManyValuesTakeFewCalls(s *site) {
	const n, most = 100_000, 10_000
	ws := s.open()
	s.store(ws, "v", numbers(n)...)
	for _, name := range []string{"IFind", "IFetch"} {
		before, next := s.scripts(), 0
		for value, err := range iterators[name](ws, "v").Try(s.ctx) {
			s.must(err)
			if value != next {
				s.Fatalf("%s gave %d in place of %d", name, value, next)
			}
			next++
		}
		if next != n {
			s.Fatalf("%s gave %d values, want %d", name, next, n)
		}
		calls := s.scripts() - before
		s.Logf("%s: %d calls for %d values", name, calls, n)
		if calls > most {
			s.Errorf("%s took %d calls for %d values, more than %d", name, calls, n, most)
		}
	}
	s.holds(ws, "v")
}

// One that waits is woken once for a value, and looks once; nothing runs meanwhile.
func i1EachStoreTakesFewCalls(s *site) {
	const n = 100
	ws := s.open()
	away := s.use(s.client())
	for name, iterator := range iterators {
		it := iterator(away, name)
		next := s.following(it)
		s.waits(ws, name)
		before := s.scripts()
		for i := range n {
			s.must(ws.Store(s.ctx, name, i))
			next.gets(fmt.Sprint(i))
			next = s.following(it)
			if i == n-1 {
				next.cancel()
			}
		}
		calls := s.scripts() - before
		s.Logf("%s: %.1f calls a value, one of which stores it", name, float64(calls)/n)
		if calls > 5*n {
			s.Errorf("%s: %d calls for %d stores", name, calls, n)
		}
		if mode := s.info(ws, name).Mode; mode != workspace.FIFO {
			s.Errorf("the variable is %q", mode)
		}
	}
}
