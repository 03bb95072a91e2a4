package workspacetest

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/netspaces/netspaces/workspace"
)

var iterateTests = []test{
	{"I1FindReadsAndWaits", i1FindReadsAndWaits},
	{"I1FetchTakesAndWaits", i1FetchTakesAndWaits},
	{"I1TryEnds", i1TryEnds},
	{"I1UndeclaredWaits", i1UndeclaredWaits},
	{"I1DeclaredWhileItWaits", i1DeclaredWhileItWaits},
	{"I1ContextEnds", i1ContextEnds},
	{"I1WorkspaceDeleted", i1WorkspaceDeleted},
	{"I1BadValueStays", i1BadValueStays},
}

// iterators are both kinds.
var iterators = map[string]func(*workspace.Workspace, string) *workspace.Iterator[int]{
	"IFind":  ifind,
	"IFetch": ifetch,
}

func ifind(ws *workspace.Workspace, variable string) *workspace.Iterator[int] {
	return workspace.NewVar[int](ws, variable).IFind()
}

func ifetch(ws *workspace.Workspace, variable string) *workspace.Iterator[int] {
	return workspace.NewVar[int](ws, variable).IFetch()
}

// tries gives what an iterator finds without waiting.
func (s *site) tries(it *workspace.Iterator[int]) []int {
	s.Helper()
	got := []int{}
	for value, err := range it.Try(s.ctx) {
		s.must(err)
		got = append(got, value)
	}
	return got
}

// gives checks what an iterator finds without waiting.
func (s *site) gives(it *workspace.Iterator[int], want ...int) {
	s.Helper()
	if got := s.tries(it); !slices.Equal(got, want) {
		s.Fatalf("the iterator gave %d, want %d", got, want)
	}
}

// some takes n values that are there, and leaves the loop.
func (s *site) some(it *workspace.Iterator[int], n int) []int {
	s.Helper()
	got := []int{}
	for value, err := range it.Try(s.ctx) {
		s.must(err)
		if got = append(got, value); len(got) == n {
			break
		}
	}
	return got
}

// ended is what following says of an iterator that has ended without an error.
const ended = "the end"

// following waits for an iterator's next value, and leaves the loop then.
func (s *site) following(it *workspace.Iterator[int]) *pending {
	return s.start("iterator", func(ctx context.Context, p *pending) {
		p.value = ended
		for value, err := range it.All(ctx) {
			p.value, p.err = strconv.Itoa(value), err
			return
		}
	})
}

// waits waits until one iterator, of whichever kind, waits for a variable.
func (s *site) waits(ws *workspace.Workspace, variable string) {
	s.Helper()
	s.eventually(func() bool {
		info := s.info(ws, variable)
		return info.Fetchers+info.Finders == 1
	}, func() string { return "the iterator does not wait for " + variable })
}

// names checks that an error names what it is about.
func (s *site) names(err error, all ...string) {
	s.Helper()
	for _, name := range all {
		if !strings.Contains(err.Error(), strconv.Quote(name)) {
			s.Errorf("the error does not name %q: %v", name, err)
		}
	}
}

func i1FindReadsAndWaits(s *site) {
	ws := s.open()
	s.store(ws, "v", 1, 2)
	it := ifind(ws, "v")
	for _, want := range []string{"1", "2"} {
		s.following(it).gets(want)
	}
	for _, value := range []string{"3", "4"} {
		next := s.following(it)
		s.waiting(ws, "v", 0, 1)
		s.store(ws, "v", []byte(value))
		next.gets(value)
		s.waiting(ws, "v", 0, 0)
	}
	s.holds(ws, "v", "1", "2", "3", "4")
}

func i1FetchTakesAndWaits(s *site) {
	ws := s.open()
	s.store(ws, "v", 1, 2)
	it := ifetch(ws, "v")
	for _, want := range []string{"1", "2"} {
		s.following(it).gets(want)
	}
	for _, value := range []string{"3", "4"} {
		next := s.following(it)
		s.waiting(ws, "v", 1, 0)
		s.store(ws, "v", []byte(value))
		next.gets(value)
		s.waiting(ws, "v", 0, 0)
	}
	s.holds(ws, "v")
}

// What is not there is not waited for, and nobody is left waiting.
func i1TryEnds(s *site) {
	ws := s.open()
	for name, iterator := range iterators {
		it := iterator(ws, name)
		s.gives(it)
		if info := s.info(ws, name); info != (workspace.VarInfo{Name: name, Mode: workspace.Unknown}) {
			s.Errorf("%s: a try left %+v", name, info)
		}
		s.store(ws, name, 1, 2, 3)
		s.gives(it, 1, 2, 3)
		s.gives(it)
		s.waiting(ws, name, 0, 0)
	}
	s.holds(ws, "IFetch")
	s.holds(ws, "IFind", "1", "2", "3")
}

// V3: asking makes the variable known, with its waiters, and a store makes it fifo.
func i1UndeclaredWaits(s *site) {
	ws := s.open()
	for name, iterator := range iterators {
		it := iterator(ws, name)
		next := s.following(it)
		waiters := map[string]workspace.VarInfo{"IFind": {Finders: 1}, "IFetch": {Fetchers: 1}}[name]
		s.waiting(ws, name, waiters.Fetchers, waiters.Finders)
		if mode := s.info(ws, name).Mode; mode != workspace.Unknown {
			s.Fatalf("%s made the variable %q", name, mode)
		}
		s.store(ws, name, 1, 2)
		next.gets("1")
		s.gives(it, 2)
		if mode := s.info(ws, name).Mode; mode != workspace.FIFO {
			s.Errorf("the variable is %q, want fifo", mode)
		}
	}
}

func i1DeclaredWhileItWaits(s *site) {
	ws := s.open()
	for name, iterator := range iterators {
		for mode, rest := range map[workspace.Mode][]int{workspace.FIFO: {2, 3}, workspace.Single: {3}} {
			name := name + " " + string(mode)
			it := iterator(ws, name)
			next := s.following(it)
			s.waits(ws, name)
			s.declare(ws, name, mode)
			s.store(ws, name, 1)
			next.gets("1")
			s.store(ws, name, 2)
			s.store(ws, name, 3)
			s.gives(it, rest...)
		}
	}
}

// V9: an iterator ends with its context, takes nothing along, and leaves no waiter behind. It can be asked again.
func i1ContextEnds(s *site) {
	ws := s.open()
	for name, iterator := range iterators {
		it := iterator(ws, name)
		next := s.following(it)
		s.waits(ws, name)
		next.cancel()
		next.fails(context.Canceled)
		s.waiting(ws, name, 0, 0)
		s.store(ws, name, 1)
		if n := s.info(ws, name).Values; n != 1 {
			s.Errorf("%s: %d values are there, want 1", name, n)
		}

		over, cancel := context.WithCancel(s.ctx)
		cancel()
		for value, err := range it.Try(over) {
			if s.wantErr(err, context.Canceled); value != 0 {
				s.Errorf("%s gave %d although its context had ended", name, value)
			}
		}
		s.gives(it, 1)
	}
}

func i1WorkspaceDeleted(s *site) {
	ws := s.open()
	var all []*pending
	for name, iterator := range iterators {
		all = append(all, s.following(iterator(ws, name)))
	}
	s.waiting(ws, "IFind", 0, 1)
	s.waiting(ws, "IFetch", 1, 0)
	s.must(workspace.Delete(s.ctx, s.rdb, s.name()))
	for _, p := range all {
		p.fails(workspace.ErrNoWorkspace)
	}
	for name, iterator := range iterators {
		for _, err := range iterator(ws, name).Try(s.ctx) {
			s.wantErr(err, workspace.ErrNoWorkspace)
		}
	}
}

// A value that does not convert ends the loop with ErrValue and stays where it is, with what follows. The iterator comes
// to it again each time that it is asked, until somebody takes it away.
func i1BadValueStays(s *site) {
	ws := s.open()
	for name, iterator := range iterators {
		s.store(ws, name, 1, 2, "three", 4, 5)
		it := iterator(ws, name)
		want, left := []int{1, 2}, []string{"1", "2", `"three"`, "4", "5"}
		if name == "IFetch" {
			left = left[2:]
		}
		for range 3 {
			var got []int
			var failed error
			for value, err := range it.Try(s.ctx) {
				if failed != nil {
					s.Fatalf("%s goes on after an error", name)
				}
				if failed = err; err == nil {
					got = append(got, value)
				}
			}
			s.wantErr(failed, workspace.ErrValue)
			s.names(failed, s.name(), name)
			if !slices.Equal(got, want) {
				s.Fatalf("%s gave %d before what is no number, want %d", name, got, want)
			}
			want = nil
			if n := s.info(ws, name).Values; n != len(left) {
				s.Fatalf("%s left %d values, want %q", name, n, left)
			}
		}
		for range len(left) - 2 { // by somebody who can read it
			var text []byte
			s.must(ws.Fetch(s.ctx, name, &text))
		}
		s.gives(it, 4, 5)
	}
	s.holds(ws, "IFind", "4", "5")
	s.holds(ws, "IFetch")
}
