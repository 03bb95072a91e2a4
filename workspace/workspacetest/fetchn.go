package workspacetest

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

var fetchNTests = []test{
	{"FetchNTakesUpToN", fetchNTakesUpToN},
	{"FetchNOrder", fetchNOrder},
	{"FetchNWaits", fetchNWaits},
	{"FetchNOvertakesNobody", fetchNOvertakesNobody},
	{"FetchNHandedAndMore", fetchNHandedAndMore},
	{"FetchNAndClaims", fetchNAndClaims},
	{"FetchNBadValueStays", fetchNBadValueStays},
	{"FetchBadValueStays", fetchBadValueStays},
	{"FetchBadValueOfAClaimStays", fetchBadValueOfAClaimStays},
	{"FetchNDeleted", fetchNDeleted},
	{"FetchNLostReply", fetchNLostReply},
	{"FetchNCancelsRaceWithStores", fetchNCancelsRaceWithStores},
}

// fetchN checks what one call takes.
func (s *site) fetchN(ws *workspace.Workspace, variable string, n int, want ...string) {
	s.Helper()
	values, err := ws.FetchN(s.ctx, variable, n)
	s.must(err)
	if got := asTexts(values); !slices.Equal(got, want) {
		s.Fatalf("FetchN of %d from %q gave %q, want %q", n, variable, got, want)
	}
}

func asTexts(values [][]byte) []string {
	var all []string
	for _, value := range values {
		all = append(all, string(value))
	}
	return all
}

// fetchesN waits for up to n values; their texts come with blanks between them.
func (s *site) fetchesN(ws *workspace.Workspace, variable string, n int) *pending {
	return s.start("FetchN of "+variable, func(ctx context.Context, p *pending) {
		values, err := ws.FetchN(ctx, variable, n)
		p.value, p.err = string(bytes.Join(values, []byte(" "))), err
	})
}

func fetchNTakesUpToN(s *site) {
	ws := s.open()
	s.store(ws, "v", numbers(10)...)
	s.fetchN(ws, "v", 3, "0", "1", "2")
	s.fetchN(ws, "v", 1, "3")
	s.fetchN(ws, "v", 0, "4") // at least one
	s.fetchN(ws, "v", -1, "5")
	s.fetchN(ws, "v", 100, "6", "7", "8", "9")

	const many = 2300
	v := workspace.NewVar[int](ws, "v")
	s.store(ws, "v", numbers(many)...)
	next := 0
	for _, want := range []int{1000, 1000, 300} {
		values, err := v.FetchN(s.ctx, many)
		s.must(err)
		if len(values) != want {
			s.Fatalf("%d values came, want %d", len(values), want)
		}
		for _, value := range values {
			if value != next {
				s.Fatalf("%d came in place of %d", value, next)
			}
			next++
		}
	}
	s.holds(ws, "v")
}

func fetchNOrder(s *site) {
	ws := s.open()
	for mode, want := range map[workspace.Mode][][]string{
		workspace.FIFO: {{"0", "1", "2"}, {"3", "4"}}, workspace.LIFO: {{"4", "3", "2"}, {"1", "0"}},
		workspace.Single: {{"4"}},
	} {
		name := string(mode)
		s.declare(ws, name, mode)
		s.store(ws, name, numbers(5)...)
		for _, some := range want {
			s.fetchN(ws, name, 3, some...)
		}
		s.holds(ws, name)
	}

	const n = 200
	s.declare(ws, "multi", workspace.Multi)
	s.store(ws, "multi", numbers(n)...)
	var came tally
	sorted := true
	for range 2 {
		values, err := workspace.NewVar[int](ws, "multi").FetchN(s.ctx, n/2)
		s.must(err)
		sorted = sorted && slices.IsSorted(values)
		for _, value := range values {
			came.add(strconv.Itoa(value))
		}
	}
	came.once(s, n)
	if sorted { // by chance once in 100!² times
		s.Error("a multi variable gave its values in their order")
	}
}

func fetchNWaits(s *site) {
	ws := s.open()
	for _, mode := range allModes {
		name := string(mode)
		s.declare(ws, name, mode)
		waiter := s.fetchesN(ws, name, 5)
		s.waiting(ws, name, 1, 0)
		s.store(ws, name, 1)
		waiter.gets("1")
		s.waiting(ws, name, 0, 0)
		s.holds(ws, name)
	}
	gone := s.fetchesN(ws, "v", 5)
	s.waiting(ws, "v", 1, 0)
	gone.cancel()
	gone.fails(context.Canceled)
	s.waiting(ws, "v", 0, 0)
	s.store(ws, "v", 1)
	s.holds(ws, "v", "1")
}

// V4: whoever waits is served first, and what it is handed is not there for others.
func fetchNOvertakesNobody(s *site) {
	ws := s.open()
	other := s.use(s.client())
	waiters := []*pending{s.fetch(other, "v")}
	s.waiting(ws, "v", 1, 0)
	waiters = append(waiters, s.fetch(ws, "v"))
	s.waiting(ws, "v", 2, 0)
	waiters = append(waiters, s.fetchesN(ws, "v", 10))
	s.waiting(ws, "v", 3, 0)
	s.store(ws, "v", 1, 2)
	waiters[0].gets("1")
	waiters[1].gets("2")
	s.waiting(ws, "v", 1, 0)
	s.store(ws, "v", 3)
	waiters[2].gets("3")
}

func fetchNHandedAndMore(s *site) {
	ws := s.open()
	waiter := s.fetchesN(ws, "v", 3)
	s.waiting(ws, "v", 1, 0)
	s.store(ws, "v", numbers(5)...)
	waiter.gets("0 1 2")
	s.holds(ws, "v", "3", "4")
}

// Values whose claims were released or ended come before the others.
func fetchNAndClaims(s *site) {
	ws := s.open()
	s.store(ws, "v", numbers(6)...)
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 3})
	s.fetchN(ws, "v", 1, "3")
	s.must(claim.Settle(s.ctx, workspace.Outcome{Index: claim.Values[0].Index}))
	s.must(claim.Release(s.ctx, claim.Values[1].Index))
	s.fetchN(ws, "v", 1, "1")
	s.ended("v")
	s.fetchN(ws, "v", 2, "2", "4")
	s.wantErr(settleAll(s.ctx, claim, ""), workspace.ErrClaimLost)
	s.holds(ws, "v", "5")
	if n := s.info(ws, "v").Claimed; n != 0 {
		s.Errorf("%d values are still claimed", n)
	}
}

// What comes before the value that does not convert is given, together with the error; it and what follows stays.
func fetchNBadValueStays(s *site) {
	ws := s.open()
	for mode, c := range map[workspace.Mode]struct {
		values []any
		got    []int
		left   []string
	}{
		workspace.FIFO: {[]any{1, 2, "x", 4, 5}, []int{1, 2}, []string{`"x"`, "4", "5"}},
		workspace.LIFO: {[]any{5, 4, "x", 2, 1}, []int{1, 2}, []string{`"x"`, "4", "5"}},
		// There is one.
		workspace.Single: {[]any{"x"}, []int{}, []string{`"x"`}},
		workspace.Multi:  {[]any{"x"}, []int{}, []string{`"x"`}},
	} {
		name := string(mode)
		s.declare(ws, name, mode)
		s.store(ws, name, c.values...)
		v := workspace.NewVar[int](ws, name)
		got, err := v.FetchN(s.ctx, 10)
		s.wantErr(err, workspace.ErrValue)
		s.names(err, s.name(), name)
		if !slices.Equal(got, c.got) {
			s.Errorf("%s: got %d, want %d", mode, got, c.got)
		}
		got, err = v.FetchN(s.ctx, 10)
		if s.wantErr(err, workspace.ErrValue); len(got) > 0 {
			s.Errorf("%s: got %d the second time", mode, got)
		}
		s.holds(ws, name, c.left...)
	}
}

// A value that does not convert stays where it is, and serves the next who can use it.
func fetchBadValueStays(s *site) {
	ws := s.open()
	for _, mode := range allModes {
		name := string(mode)
		s.declare(ws, name, mode)
		s.store(ws, name, "x")
		var n int
		for verb, call := range map[string]func() error{
			"Fetch":    func() error { return ws.Fetch(s.ctx, name, &n) },
			"TryFetch": func() error { _, err := ws.TryFetch(s.ctx, name, &n); return err },
			"Find":     func() error { return ws.Find(s.ctx, name, &n) },
			"TryFind":  func() error { _, err := ws.TryFind(s.ctx, name, &n); return err },
			"typed Fetch": func() error {
				_, err := workspace.NewVar[int](ws, name).Fetch(s.ctx)
				return err
			},
		} {
			err := call()
			if !errors.Is(err, workspace.ErrValue) {
				s.Fatalf("%s of a %s variable: error %v, want ErrValue", verb, mode, err)
			}
			s.names(err, s.name(), name)
			if info := s.info(ws, name); info.Values != 1 || info.Fetchers+info.Finders != 0 {
				s.Fatalf("after %s of a %s variable: %+v", verb, mode, info)
			}
		}
		s.holds(ws, name, `"x"`)

		bad := s.start("fetch of a number", func(ctx context.Context, p *pending) {
			var n int
			p.err = ws.Fetch(ctx, name, &n)
		})
		s.waiting(ws, name, 1, 0)
		good := s.fetch(ws, name)
		s.waiting(ws, name, 2, 0)
		s.store(ws, name, "y")
		bad.fails(workspace.ErrValue)
		good.gets(`"y"`)
	}
	s.store(ws, "order", 1, "x", 3)
	var n int
	s.must(ws.Fetch(s.ctx, "order", &n))
	s.wantErr(ws.Fetch(s.ctx, "order", &n), workspace.ErrValue)
	s.wantErr(ws.Fetch(s.ctx, "order", &n), workspace.ErrValue)
	s.holds(ws, "order", `"x"`, "3")
}

// Also where a claim gave it back before: it is the next again, and not behind the others of that claim.
func fetchBadValueOfAClaimStays(s *site) {
	ws := s.open()
	var list []string
	for _, iterated := range []bool{false, true} {
		s.store(ws, "v", numbers(5)...)
		if iterated {
			s.gives(ifind(ws, "v"), 0, 1, 2, 3, 4)
		}
		claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 3})
		s.must(claim.Release(s.ctx, indexes(claim)...))
		s.wantErr(ws.Fetch(s.ctx, "v", &list), workspace.ErrValue)
		s.wantErr(ws.Fetch(s.ctx, "v", &list), workspace.ErrValue)
		s.holds(ws, "v", "0", "1", "2", "3", "4")
	}
}

func fetchNDeleted(s *site) {
	ws := s.open()
	waiter := s.fetchesN(ws, "v", 5)
	s.waiting(ws, "v", 1, 0)
	s.must(ws.DeleteVar(s.ctx, "v"))
	s.store(ws, "v", "new")
	waiter.fails(workspace.ErrVarDeleted)
	s.holds(ws, "v", `"new"`)
}

func fetchNLostReply(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	away := s.use(rdb)
	s.store(ws, "lossy", numbers(7)...)
	lost := proxy.loseReply()
	s.fetchN(away, "lossy", 3, "0", "1", "2")
	<-lost
	lost = proxy.loseReply()
	s.fetchN(away, "lossy", 3, "3", "4", "5")
	<-lost
	s.holds(ws, "lossy", "6")
}

// As V9 has it for fetch: whenever contexts end, each value comes out once.
func fetchNCancelsRaceWithStores(s *site) {
	const values, fetchers = 200, 4
	ws := s.open()
	var came tally
	var all sync.WaitGroup
	stop, stopped := context.WithCancel(s.ctx)
	for f := range fetchers {
		h := s.use(s.rdb)
		chance := rand.New(rand.NewPCG(uint64(f), 7))
		all.Go(func() {
			for stop.Err() == nil {
				ctx, cancel := context.WithTimeout(s.ctx, time.Duration(chance.IntN(3000))*time.Microsecond)
				some, err := h.FetchN(ctx, "v", 1+chance.IntN(9))
				cancel()
				came.add(asTexts(some)...)
				if err != nil && !errors.Is(err, context.DeadlineExceeded) {
					s.Error(err)
					return
				}
			}
		})
	}
	for some := range slices.Chunk(numbers(values), 5) {
		s.store(ws, "v", some...)
	}
	stopped()
	all.Wait()
	s.waiting(ws, "v", 0, 0)
	came.add(s.drain(ws, "v")...)
	came.once(s, values)
}
