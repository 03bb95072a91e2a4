package workspacetest

import (
	"slices"

	"github.com/netspaces/netspaces/workspace"
)

var iterateEndTests = []test{
	{"I4Continued", i4Continued},
	{"I4Reset", i4Reset},
	{"I4ResetWithinTheLoop", i4ResetWithinTheLoop},
	{"I5DeletedWhileItWaits", i5DeletedWhileItWaits},
	{"I5DeletedMeanwhile", i5DeletedMeanwhile},
	{"I5DeletedWithinTheLoop", i5DeletedWithinTheLoop},
	{"I5DeletedBeforeItBegins", i5DeletedBeforeItBegins},
	{"I5TheDeafHear", i5TheDeafHear},
	{"I6NoOrder", i6NoOrder},
	{"I6NoOrderDeclaredLater", i6NoOrderDeclaredLater},
	{"I6NoOrderDeclaredWhileItWaits", i6NoOrderDeclaredWhileItWaits},
}

func i4Continued(s *site) {
	ws := s.open()
	for name, iterator := range iterators {
		it := iterator(ws, name)
		s.store(ws, name, 1, 2)
		s.gives(it, 1, 2)
		s.gives(it)
		s.store(ws, name, 3)
		s.gives(it, 3)
		s.store(ws, name, 4, 5)
		s.following(it).gets("4")
		s.gives(it, 5)
		next := s.following(it)
		s.waits(ws, name)
		next.cancel()
		next.end()
		s.store(ws, name, 6)
		s.gives(it, 6)
	}
}

// A reset goes to the oldest value that is still there; it brings nothing back.
func i4Reset(s *site) {
	ws := s.open()
	s.store(ws, "v", 1, 2, 3, 4)
	find := ifind(ws, "v")
	s.gives(find, 1, 2, 3, 4)
	find.Reset()
	s.gives(find, 1, 2, 3, 4)
	s.fetch(ws, "v").gets("1")
	find.Reset()
	if got := s.some(find, 2); !slices.Equal(got, []int{2, 3}) {
		s.Fatalf("after a reset came %d", got)
	}
	find.Reset()
	s.following(find).gets("2")

	fetch := ifetch(ws, "v")
	s.some(fetch, 2)
	fetch.Reset()
	s.gives(fetch, 4)
	fetch.Reset()
	s.gives(fetch)
	find.Reset()
	s.gives(find)
	s.store(ws, "v", 5)
	s.gives(find, 5)
	s.gives(fetch, 5)
}

// Reset may be called in the loop. That goes on as it was, and the next one begins anew; nothing is lost on the way.
func i4ResetWithinTheLoop(s *site) {
	const n = 100
	ws := s.open()
	for name, iterator := range iterators {
		s.store(ws, name, numbers(n)...)
		it := iterator(ws, name)
		var got []int
		for value, err := range it.Try(s.ctx) {
			s.must(err)
			if got = append(got, value); len(got) == n/2 {
				it.Reset()
			}
			if len(got) > 3*n {
				s.Fatalf("%s does not end", name)
			}
		}
		if got = got[:min(len(got), n/2)]; got[0] != 0 || got[n/2-1] != n/2-1 {
			s.Fatalf("%s gave %d", name, got)
		}
		it.Reset()
		if name == "IFind" {
			if again := s.tries(it); len(again) != n || again[0] != 0 {
				s.Errorf("after a reset in the loop came %d", again)
			}
		}
		s.waiting(ws, name, 0, 0)
	}
}

// staysEnded checks that an iterator has ended, waits for nothing, takes nothing, and begins again when it is reset.
func (s *site) staysEnded(ws *workspace.Workspace, variable string, it *workspace.Iterator[int]) {
	s.Helper()
	s.following(it).gets(ended)
	s.gives(it)
	s.store(ws, variable, 7, 8)
	s.following(it).gets(ended)
	s.gives(it)
	if n := s.info(ws, variable).Values; n < 2 {
		s.Errorf("an iterator that has ended took something: %d values are left", n)
	}
	it.Reset()
	if got := s.tries(it); len(got) < 2 || !slices.Equal(got[len(got)-2:], []int{7, 8}) {
		s.Fatalf("after a reset came %d", got)
	}
}

func i5DeletedWhileItWaits(s *site) {
	ws := s.open()
	other := s.use(s.client())
	for _, anew := range []bool{false, true} {
		for name, iterator := range iterators {
			its := []*workspace.Iterator[int]{iterator(ws, name), iterator(other, name), iterator(other, name)}
			s.store(ws, name, 1, 2, 3)
			var all []*pending
			for _, it := range its[:2] { // two have had values, and one begins with waiting
				s.some(it, 1)
			}
			s.drain(ws, name)
			for _, it := range its {
				s.tries(it)
				all = append(all, s.following(it))
			}
			s.eventually(func() bool {
				info := s.info(ws, name)
				return info.Fetchers+info.Finders == len(all)
			}, func() string { return "the iterators do not wait" })
			s.must(ws.DeleteVar(s.ctx, name))
			if anew {
				s.store(ws, name, 10, 11)
			}
			for _, p := range all {
				p.gets(ended)
			}
			if anew {
				s.holds(ws, name, "10", "11")
			}
			for _, it := range its {
				s.staysEnded(ws, name, it)
			}
			s.must(ws.DeleteVar(s.ctx, name))
		}
	}
}

func i5DeletedMeanwhile(s *site) {
	ws := s.open()
	for _, mode := range []workspace.Mode{workspace.FIFO, workspace.Single, workspace.Unknown} {
		for _, anew := range []bool{false, true} {
			for name, iterator := range iterators {
				it := iterator(ws, name)
				if mode == workspace.Unknown {
					s.gives(it)
				} else {
					s.declare(ws, name, mode)
					s.store(ws, name, 1)
					s.gives(it, 1)
				}
				s.must(ws.DeleteVar(s.ctx, name))
				if anew {
					s.store(ws, name, 10)
				} else if info := s.info(ws, name); info.Name != "" {
					s.Errorf("a deleted variable is listed: %+v", info)
				}
				s.gives(it)
				if info := s.info(ws, name); !anew && info.Name != "" {
					s.Errorf("an iterator that has ended made the variable: %+v", info)
				}
				s.staysEnded(ws, name, it)
				s.must(ws.DeleteVar(s.ctx, name))
			}
		}
	}
}

// What was taken ahead of a variable that is deleted does not turn up in the new one of that name.
func i5DeletedWithinTheLoop(s *site) {
	const n = 200
	ws := s.open()
	for name, iterator := range iterators {
		s.store(ws, name, numbers(n)...)
		it := iterator(ws, name)
		got := 0
		for value, err := range it.All(s.ctx) {
			s.must(err)
			if value != got {
				s.Fatalf("%s: value %d came in place of %d", name, value, got)
			}
			if got++; got == n/2 {
				s.must(ws.DeleteVar(s.ctx, name))
				s.store(ws, name, -1, -2)
			}
		}
		if got < n/2 {
			s.Fatalf("%s: %d values came", name, got)
		}
		s.holds(ws, name, "-1", "-2")
		s.staysEnded(ws, name, it)

		s.must(ws.DeleteVar(s.ctx, name))
		s.store(ws, name, numbers(n)...)
		it.Reset()
		got = 0
		for _, err := range it.All(s.ctx) {
			s.must(err)
			if got++; got == n/2 {
				s.must(ws.DeleteVar(s.ctx, name))
				s.store(ws, name, -1, -2)
				break
			}
		}
		s.holds(ws, name, "-1", "-2")
		s.staysEnded(ws, name, it)
	}
}

// An iterator that has asked for nothing yet belongs to no variable yet.
func i5DeletedBeforeItBegins(s *site) {
	ws := s.open()
	for name, iterator := range iterators {
		s.store(ws, name, 1)
		it := iterator(ws, name)
		s.must(ws.DeleteVar(s.ctx, name))
		s.store(ws, name, 2)
		s.gives(it, 2)
	}
}

// Nobody is told, and the iterators end all the same.
func i5TheDeafHear(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	away := s.use(rdb)
	var all []*pending
	for name, iterator := range iterators {
		all = append(all, s.following(iterator(away, name)))
	}
	s.waiting(ws, "IFetch", 1, 0)
	s.waiting(ws, "IFind", 0, 1)
	proxy.deafen()
	for name := range iterators {
		s.must(ws.DeleteVar(s.ctx, name))
		s.store(ws, name, "new")
	}
	for _, p := range all {
		p.gets(ended)
	}
	for name := range iterators {
		s.holds(ws, name, `"new"`)
	}
}

// cannotIterate checks that an iterator says so, takes nothing and leaves no waiter, however often it is asked.
func (s *site) cannotIterate(ws *workspace.Workspace, variable string, it *workspace.Iterator[int]) {
	s.Helper()
	before := s.info(ws, variable).Values
	for range 2 {
		s.following(it).fails(workspace.ErrIterate)
		asked := 0
		for _, err := range it.Try(s.ctx) {
			asked++
			s.wantErr(err, workspace.ErrIterate)
			s.names(err, s.name(), variable)
		}
		if asked != 1 {
			s.Errorf("Try gave %d times something, want the error once", asked)
		}
	}
	if info := s.info(ws, variable); info.Values != before || info.Fetchers+info.Finders != 0 {
		s.Errorf("%d values before, now %+v", before, info)
	}
}

var unordered = []workspace.Mode{workspace.LIFO, workspace.Multi}

func i6NoOrder(s *site) {
	ws := s.open()
	for name, iterator := range iterators {
		for _, mode := range unordered {
			name := name + " " + string(mode)
			s.declare(ws, name, mode)
			s.cannotIterate(ws, name, iterator(ws, name))
			s.store(ws, name, 1, 2)
			it := iterator(ws, name)
			s.cannotIterate(ws, name, it)
			it.Reset()
			s.cannotIterate(ws, name, it)
		}
	}
}

func i6NoOrderDeclaredLater(s *site) {
	ws := s.open()
	for name, iterator := range iterators {
		for _, mode := range unordered {
			name := name + " " + string(mode)
			it := iterator(ws, name)
			s.gives(it)
			s.declare(ws, name, mode)
			s.store(ws, name, 1, 2)
			s.cannotIterate(ws, name, it)
		}
	}
}

func i6NoOrderDeclaredWhileItWaits(s *site) {
	ws := s.open()
	for name, iterator := range iterators {
		for _, mode := range unordered {
			name := name + " " + string(mode)
			it := iterator(ws, name)
			next := s.following(it)
			s.waits(ws, name)
			s.declare(ws, name, mode)
			s.store(ws, name, 1, 2)
			next.fails(workspace.ErrIterate)
			s.cannotIterate(ws, name, it)
			if n := len(s.drain(ws, name)); n != 2 {
				s.Errorf("%s: %d values are left, want 2", name, n)
			}
		}
	}
}
