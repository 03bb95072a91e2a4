package workspacetest

import (
	"fmt"
	"strconv"

	"github.com/netspaces/netspaces/workspace"
)

var serveTests = []test{
	{"V4FindersBeforeFetcher", v4FindersBeforeFetcher},
	{"V4FindersAfterFetcher", v4FindersAfterFetcher},
	{"V4StoreAllServesInOrder", v4StoreAllServesInOrder},
	{"V4StoreAllSingle", v4StoreAllSingle},
	{"V4FindersGetTheFirstOfMany", v4FindersGetTheFirstOfMany},
	{"V4NobodyOvertakes", v4NobodyOvertakes},
	{"V4ManyWaiters", v4ManyWaiters},
}

func v4FindersBeforeFetcher(s *site) { bothKinds(s, false) }
func v4FindersAfterFetcher(s *site)  { bothKinds(s, true) }

// bothKinds has fetchers and finders of two clients wait for one value.
func bothKinds(s *site, fetchersFirst bool) {
	ws := s.open()
	other := s.use(s.client())
	for _, mode := range allModes {
		name := string(mode)
		s.declare(ws, name, mode)
		var fetchers, finders []*pending
		if fetchersFirst {
			fetchers = s.fetchers(other, name, 2)
		}
		for range 5 {
			finders = append(finders, s.find(ws, name), s.find(other, name))
		}
		if !fetchersFirst {
			s.waiting(ws, name, 0, 10)
			fetchers = append(fetchers, s.fetch(other, name))
			s.waiting(ws, name, 1, 10)
			fetchers = append(fetchers, s.fetch(other, name))
		}
		s.waiting(ws, name, 2, 10)
		s.store(ws, name, 1)
		fetchers[0].gets("1")
		for _, f := range finders {
			f.gets("1")
		}
		s.waiting(ws, name, 1, 0)
		s.store(ws, name, 2)
		fetchers[1].gets("2")
		s.holds(ws, name)
	}
}

func v4StoreAllServesInOrder(s *site) {
	ws := s.open()
	for mode, left := range map[workspace.Mode][]string{
		workspace.FIFO: {"4", "5"},
		workspace.LIFO: {"5", "4"},
	} {
		name := string(mode)
		s.declare(ws, name, mode)
		waiters := s.fetchers(ws, name, 3)
		s.store(ws, name, 1, 2, 3, 4, 5)
		for i, w := range waiters {
			w.gets(strconv.Itoa(i + 1))
		}
		s.holds(ws, name, left...)
	}
}

func v4StoreAllSingle(s *site) {
	ws := s.open()
	s.declare(ws, "v", workspace.Single)
	waiters := s.fetchers(ws, "v", 2)
	finder := s.find(ws, "v")
	s.waiting(ws, "v", 2, 1)
	s.store(ws, "v", 1, 2, 3, 4)
	waiters[0].gets("1")
	waiters[1].gets("2")
	finder.gets("1")
	s.holds(ws, "v", "4")
}

func v4FindersGetTheFirstOfMany(s *site) {
	ws := s.open()
	for _, mode := range allModes {
		name := string(mode)
		s.declare(ws, name, mode)
		finders := []*pending{s.find(ws, name), s.find(ws, name)}
		s.waiting(ws, name, 0, 2)
		s.store(ws, name, 1, 2, 3)
		for _, f := range finders {
			f.gets("1")
		}
	}
}

// A value that a waiter is being served is not there for others, even if they are quicker.
func v4NobodyOvertakes(s *site) {
	ws := s.open()
	other := s.use(s.client())
	for i := range 20 {
		waiter := s.fetch(other, "v")
		s.waiting(ws, "v", 1, 0)
		s.store(ws, "v", i)
		var text []byte
		ok, err := ws.TryFetch(s.ctx, "v", &text)
		if s.must(err); ok {
			s.Fatalf("value %d went to a try although a fetch was waiting", i)
		}
		waiter.gets(strconv.Itoa(i))
	}
}

func v4ManyWaiters(s *site) {
	const n = 120
	ws := s.open()
	other := s.use(s.client())
	var waiters []*pending
	for i := range n {
		waiters = append(waiters, s.fetch([]*workspace.Workspace{ws, other}[i%2], "v"))
	}
	s.waiting(ws, "v", n, 0)
	s.store(ws, "v", numbers(n+10)...)
	seen := map[string]bool{}
	for _, w := range waiters {
		w.end()
		s.must(w.err)
		seen[w.value] = true
	}
	if left := s.drain(ws, "v"); len(seen) != n || len(left) != 10 {
		s.Fatalf("%d waiters got %d values, %d are left, want 10", n, len(seen), len(left))
	}
	for i := range n {
		if !seen[fmt.Sprint(i)] {
			s.Fatalf("value %d came to nobody although later ones did", i)
		}
	}
}
