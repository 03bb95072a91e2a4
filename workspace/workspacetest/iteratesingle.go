package workspacetest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/netspaces/netspaces/workspace"
)

var iterateSingleTests = []test{
	{"I3SkipsWhatWasOverwritten", i3SkipsWhatWasOverwritten},
	{"I3WaitsForTheNextStore", i3WaitsForTheNextStore},
	{"I3FindsAreIndependent", i3FindsAreIndependent},
	{"I3FetchesShare", i3FetchesShare},
	{"I3FindSkipsWhatWasTaken", i3FindSkipsWhatWasTaken},
	{"I3OverwrittenWhileALoopRuns", i3OverwrittenWhileALoopRuns},
	{"I3BadValueStays", i3BadValueStays},
	{"I4ResetOfSingle", i4ResetOfSingle},
	{"I5EqualValueIsNew", i5EqualValueIsNew},
}

func i3SkipsWhatWasOverwritten(s *site) {
	ws := s.open()
	for name, iterator := range iterators {
		s.declare(ws, name, workspace.Single)
		it := iterator(ws, name)
		s.store(ws, name, 100)
		s.store(ws, name, 101)
		s.gives(it, 101)
		s.gives(it)
		s.store(ws, name, 102)
		s.store(ws, name, 103)
		s.gives(it, 103)
		s.store(ws, name, 104, 105, 106) // one after the other
		s.gives(it, 106)
		s.gives(it)
	}
	s.holds(ws, "IFind", "106")
	s.holds(ws, "IFetch")
}

func i3WaitsForTheNextStore(s *site) {
	ws := s.open()
	other := s.use(s.client())
	for name, iterator := range iterators {
		s.declare(ws, name, workspace.Single)
		s.store(ws, name, 1)
		it := iterator(other, name)
		s.following(it).gets("1")
		for i := range 5 {
			next := s.following(it)
			s.waits(ws, name)
			s.store(ws, name, i)
			next.gets(fmt.Sprint(i))
		}
	}
}

func i3FindsAreIndependent(s *site) {
	ws := s.open()
	s.declare(ws, "v", workspace.Single)
	first, second := ifind(ws, "v"), ifind(s.use(s.client()), "v")
	s.store(ws, "v", 1)
	s.gives(first, 1)
	s.store(ws, "v", 2)
	s.gives(first, 2)
	s.gives(second, 2)
	waiters := []*pending{s.following(first), s.following(second)}
	s.waiting(ws, "v", 0, 2)
	s.store(ws, "v", 3)
	for _, p := range waiters {
		p.gets("3")
	}
	s.holds(ws, "v", "3")
}

func i3FetchesShare(s *site) {
	ws := s.open()
	s.declare(ws, "v", workspace.Single)
	first, second := ifetch(ws, "v"), ifetch(s.use(s.client()), "v")
	s.store(ws, "v", 1)
	s.gives(first, 1)
	s.gives(second)
	waiters := []*pending{s.following(first)}
	s.waiting(ws, "v", 1, 0)
	waiters = append(waiters, s.following(second))
	s.waiting(ws, "v", 2, 0)
	s.store(ws, "v", 2)
	s.store(ws, "v", 3)
	waiters[0].gets("2")
	waiters[1].gets("3")
	s.holds(ws, "v")
}

func i3FindSkipsWhatWasTaken(s *site) {
	ws := s.open()
	s.declare(ws, "v", workspace.Single)
	it := ifind(ws, "v")
	s.store(ws, "v", 1)
	s.fetch(ws, "v").gets("1")
	s.gives(it)
	next := s.following(it)
	s.waiting(ws, "v", 0, 1)
	s.store(ws, "v", 2)
	next.gets("2")
	claim := s.claim(ws, "v", nil)
	s.gives(it)
	s.must(claim.Release(s.ctx, indexes(claim)...))
	s.gives(it) // it has seen this one
	s.gives(ifind(ws, "v"), 2)
	s.store(ws, "v", 3)
	s.gives(it, 3)
}

// A loop sees rising values and, when nothing more is stored, the last one.
func i3OverwrittenWhileALoopRuns(s *site) {
	const n = 300
	ws := s.open()
	s.declare(ws, "v", workspace.Single)
	var loops sync.WaitGroup
	var seen [2][]int
	for i, h := range []*workspace.Workspace{ws, s.use(s.client())} {
		loops.Go(func() {
			for value, err := range ifind(h, "v").All(s.ctx) {
				if err != nil {
					s.Error(err)
					return
				}
				if seen[i] = append(seen[i], value); value == n {
					return
				}
			}
		})
	}
	for i := range n + 1 {
		s.store(ws, "v", i)
	}
	loops.Wait()
	for _, values := range seen {
		if !slices.IsSorted(values) || len(slices.Compact(slices.Clone(values))) != len(values) ||
			values[len(values)-1] != n {
			s.Errorf("the values came as %d", values)
		}
	}
}

func i3BadValueStays(s *site) {
	ws := s.open()
	for name, iterator := range iterators {
		s.declare(ws, name, workspace.Single)
		s.store(ws, name, "text")
		it := iterator(ws, name)
		for range 2 {
			s.following(it).fails(workspace.ErrValue)
			if n := s.info(ws, name).Values; n != 1 {
				s.Fatalf("%s: %d values are left, want 1", name, n)
			}
		}
		s.store(ws, name, 2)
		s.gives(it, 2)
	}
}

// A reset ifind gives the current value once more; a reset ifetch does not bring back what it took.
func i4ResetOfSingle(s *site) {
	ws := s.open()
	s.declare(ws, "v", workspace.Single)
	s.store(ws, "v", 1)
	s.store(ws, "v", 2)
	find, fetch := ifind(ws, "v"), ifetch(ws, "v")
	s.gives(find, 2)
	s.gives(find)
	find.Reset()
	s.gives(find, 2)
	s.gives(find)
	s.gives(fetch, 2)
	fetch.Reset()
	s.gives(fetch)
	find.Reset()
	s.gives(find)
	s.store(ws, "v", 3)
	s.gives(find, 3)
	s.gives(fetch, 3)
}

func i5EqualValueIsNew(s *site) {
	ws := s.open()
	for name, iterator := range iterators {
		for _, mode := range []workspace.Mode{workspace.Single, workspace.FIFO} {
			name := name + " " + string(mode)
			s.declare(ws, name, mode)
			it := iterator(ws, name)
			for range 3 {
				s.store(ws, name, 5)
				s.gives(it, 5)
				s.gives(it)
			}
			next := s.following(it)
			s.waits(ws, name)
			s.store(ws, name, 5)
			next.gets("5")
		}
	}
}
