package workspacetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

var togetherTests = []test{
	{"TogetherAllAreStored", togetherAllAreStored},
	{"TogetherCancelled", togetherCancelled},
	{"TogetherFail", togetherFail},
	{"TogetherAllCancelled", togetherAllCancelled},
	{"TogetherClosed", togetherClosed},
	{"TogetherFull", togetherFull},
}

// stores starts n stores of 0, 1 … into a variable.
func (s *site) stores(ws *workspace.Workspace, variable string, n int) []*pending {
	var all []*pending
	for i := range n {
		all = append(all, s.start(fmt.Sprint("store of ", i), func(ctx context.Context, p *pending) {
			p.err = ws.Store(ctx, variable, i)
		}))
	}
	return all
}

// Stores of many goroutines travel together, in whatever mode, to whoever waits: each value comes once.
func togetherAllAreStored(s *site) {
	const n = 500
	ws := s.open()
	far := s.use(s.client())
	for _, mode := range []workspace.Mode{workspace.FIFO, workspace.LIFO, workspace.Multi} {
		name := string(mode)
		s.declare(ws, name, mode)
		waiting := s.fetchers(far, name, 10)
		finder := s.find(far, name)
		s.waiting(ws, name, 10, 1)
		for _, store := range s.stores(ws, name, n) {
			store.end()
			s.must(store.err)
		}
		var came tally
		for _, fetch := range waiting {
			fetch.end()
			s.must(fetch.err)
			came.add(fetch.value)
		}
		finder.end()
		s.must(finder.err)
		came.add(s.drain(ws, name)...)
		came.once(s, n)
	}
}

// A store whose context ends while it waits to travel with others stores nothing, and they do.
func togetherCancelled(s *site) {
	const n = 20
	ws := s.open()
	rdb, proxy := s.proxied()
	far := s.use(rdb)
	s.store(far, "v", "first")
	s.drain(ws, "v")
	proxy.freeze()
	stores := s.stores(far, "v", n)
	time.Sleep(50 * time.Millisecond) // those that are on their way by then are cancelled as any other
	cancelled := stores[n/2:]
	for _, store := range cancelled {
		store.cancel()
	}
	time.AfterFunc(50*time.Millisecond, proxy.thaw)
	want, some := map[string]bool{}, false
	for i, store := range stores {
		store.end()
		switch {
		case store.err == nil:
			want[fmt.Sprint(i)] = true
		case i < n/2 || !errors.Is(store.err, context.Canceled):
			s.Errorf("store %d: %v", i, store.err)
		default:
			some = true
			if _, unknown := errors.AsType[*redisx.UnknownError](store.err); unknown {
				s.Errorf("store %d: %v", i, store.err)
			}
		}
	}
	if !some {
		s.Error("none was cancelled")
	}
	got := s.drain(ws, "v")
	for _, value := range got {
		if !want[value] {
			s.Errorf("%s was stored, and its caller told that it was not", value)
		}
	}
	if len(got) != len(want) {
		s.Errorf("%d values are there, want %d", len(got), len(want))
	}
}

// What goes wrong with all is said to all.
func togetherFail(s *site) {
	ws := s.open()
	far := s.use(s.client())
	s.store(far, "v", 0)
	s.must(ws.Delete(s.ctx))
	for _, store := range s.stores(far, "v", 50) {
		store.fails(workspace.ErrNoWorkspace)
	}
}

// Where all have left, the request ends with them, and it is known that nothing is stored.
func togetherAllCancelled(s *site) {
	const n = 20
	ws := s.open()
	rdb, proxy := s.proxied()
	far := s.use(rdb)
	s.store(far, "v", "first")
	s.drain(ws, "v")
	var stores []*pending
	s.together(proxy, func() {
		stores = s.stores(far, "v", n)
		time.AfterFunc(25*time.Millisecond, func() {
			for _, store := range stores {
				store.cancel()
			}
		})
	})
	want := []string{}
	for i, store := range stores {
		store.end()
		switch {
		case store.err == nil:
			want = append(want, fmt.Sprint(i))
		case !errors.Is(store.err, context.Canceled) || isUnknown(store.err):
			s.Errorf("store %d: %v", i, store.err)
		}
	}
	got := s.drain(ws, "v")
	slices.SortFunc(got, byNumber)
	if !slices.Equal(got, want) {
		s.Errorf("%q are stored; those who were told so have stored %q", got, want)
	}
}

// A handle is closed while many store: who was told that its value is stored, has stored it, and nobody else has.
func togetherClosed(s *site) {
	const goroutines = 30
	ws := s.open()
	far := s.use(s.client())
	var stored tally
	var all sync.WaitGroup
	for i := range goroutines {
		all.Go(func() {
			for k := i; ; k += goroutines {
				if err := far.Store(s.ctx, "v", k); err != nil {
					s.wantErr(err, workspace.ErrClosed)
					return
				}
				stored.add(fmt.Sprint(k))
			}
		})
	}
	s.eventually(func() bool { return stored.total() > 500 }, func() string { return "nothing is stored" })
	s.must(far.Close())
	all.Wait()
	got := s.drain(ws, "v")
	if len(got) != stored.total() {
		s.Errorf("%d values are there, want %d", len(got), stored.total())
	}
	stored.add(got...)
	stored.mu.Lock()
	defer stored.mu.Unlock()
	for value, times := range stored.times {
		if times != 2 { // stored, and there
			s.Errorf("%s: %d", value, times)
		}
	}
}

// Stores of many values at the same time, more than one request takes: those of each caller keep their order.
func togetherFull(s *site) {
	const callers, each, size = 12, 400, 8 << 10
	ws := s.open()
	padding := strings.Repeat("x", size)
	hammer(callers, func(i int) {
		values := make([]any, each)
		for k := range values {
			values[k] = []byte(fmt.Sprintf("%02d %04d %s", i, k, padding))
		}
		if err := ws.StoreAll(s.ctx, "v", values...); err != nil {
			s.Error(err)
		}
	})
	var next [callers]int
	for value, err := range workspace.NewVar[[]byte](ws, "v").IFetch().Try(s.ctx) {
		s.must(err)
		var i, k int
		if _, err := fmt.Sscanf(string(value[:8]), "%d %d ", &i, &k); err != nil || string(value[8:]) != padding {
			s.Fatalf("%.20q…: %v", value, err)
		}
		if k != next[i] {
			s.Fatalf("value %d of caller %d came in place of %d", k, i, next[i])
		}
		next[i]++
	}
	for i, n := range next {
		if n != each {
			s.Errorf("%d values of caller %d came, want %d", n, i, each)
		}
	}
}
