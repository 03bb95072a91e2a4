package workspacetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

var togetherFetchTests = []test{
	{"TogetherAllAreFetched", togetherAllAreFetched},
	{"TogetherFetchWaits", togetherFetchWaits},
	{"TogetherFetchCancelled", togetherFetchCancelled},
	{"TogetherFetchCancelledForLong", togetherFetchCancelledForLong},
	{"TogetherFetchBadValues", togetherFetchBadValues},
	{"TogetherFetchBadValuesOfClaims", togetherFetchBadValuesOfClaims},
	{"TogetherFetchPanics", togetherFetchPanics},
	{"TogetherFetchLostReplies", togetherFetchLostReplies},
	{"TogetherFetchLargeValues", togetherFetchLargeValues},
	{"TogetherFetchFails", togetherFetchFails},
	{"TogetherFetchClosed", togetherFetchClosed},
}

// togetherCountTests need a server that counts its calls.
var togetherCountTests = []test{
	{"TogetherTakesFewCalls", togetherTakesFewCalls},
}

// numberFetches starts n fetches of whole numbers, every other one a try. One that does not wait and finds nothing has
// the value nothing.
func (s *site) numberFetches(ws *workspace.Workspace, variable string, n int) []*pending {
	var all []*pending
	for i := range n {
		all = append(all, s.start(fmt.Sprint("fetch ", i, " of ", variable), func(ctx context.Context, p *pending) {
			var number int
			ok := true
			if i%2 == 0 {
				p.err = ws.Fetch(ctx, variable, &number)
			} else {
				ok, p.err = ws.TryFetch(ctx, variable, &number)
			}
			p.value = nothing
			if ok && p.err == nil {
				p.value = strconv.Itoa(number)
			}
		}))
	}
	return all
}

const nothing = "nothing"

// together has calls begin while some are under way, so that the others travel together. The client has called before.
func (s *site) together(p *proxy, begin func()) {
	p.freeze()
	begin()
	time.Sleep(50 * time.Millisecond) // those that have not begun by then are calls as any other
	p.thaw()
}

// Each value goes to one of many goroutines, which gets its values in their order.
func togetherAllAreFetched(s *site) {
	const n, goroutines = 2000, 40
	ws := s.open()
	far := s.use(s.client())
	for _, mode := range []workspace.Mode{workspace.FIFO, workspace.LIFO, workspace.Multi} {
		name := string(mode)
		s.declare(ws, name, mode)
		s.store(ws, name, numbers(n)...)
		var came tally
		hammer(goroutines, func(int) {
			last := -1
			for {
				var value int
				ok, err := far.TryFetch(s.ctx, name, &value)
				if err != nil {
					s.Error(err)
				}
				if !ok || err != nil {
					return
				}
				if mode == workspace.FIFO && value < last || mode == workspace.LIFO && last >= 0 && value > last {
					s.Errorf("%s: value %d came after %d", mode, value, last)
				}
				last = value
				came.add(strconv.Itoa(value))
			}
		})
		came.once(s, n)
	}
}

// Many goroutines that store and fetch cost few calls.
func togetherTakesFewCalls(s *site) {
	const n, goroutines = 4000, 40
	far := s.openBy(s.client(), nil)
	before := s.scripts()
	hammer(goroutines, func(int) {
		for i := range n / goroutines {
			if err := far.Store(s.ctx, "v", i); err != nil {
				s.Error(err)
			}
		}
	})
	between := s.scripts()
	hammer(goroutines, func(int) {
		for range n / goroutines {
			var value int
			if err := far.Fetch(s.ctx, "v", &value); err != nil {
				s.Error(err)
			}
		}
	})
	stores, fetches := between-before, s.scripts()-between
	s.Logf("%d calls for %d stores, and %d for as many fetches", stores, n, fetches)
	if stores > n/2 || fetches > n/2 {
		s.Errorf("%d calls for %d stores, and %d for as many fetches", stores, n, fetches)
	}
	s.holds(far, "v")
}

// Whoever finds nothing waits, or does not, as it was asked.
func togetherFetchWaits(s *site) {
	const n = 60
	ws := s.open()
	rdb, proxy := s.proxied()
	far := s.use(rdb)
	s.fetch(far, "v")
	s.waiting(ws, "v", 1, 0)
	var all []*pending
	s.together(proxy, func() { all = s.numberFetches(far, "v", n) })
	s.waiting(ws, "v", 1+n/2, 0)
	for i := 1; i < n; i += 2 {
		all[i].gets(nothing)
	}
	s.store(ws, "v", numbers(1+n/2)...)
	var came tally
	came.add("0") // the first in the line
	for i := 0; i < n; i += 2 {
		all[i].end()
		s.must(all[i].err)
		came.add(all[i].value)
	}
	came.once(s, 1+n/2)
	s.waiting(ws, "v", 0, 0)
	s.holds(ws, "v")
}

// Those whose contexts end take nothing, the others get their values, and what is left is there at once.
func togetherFetchCancelled(s *site) {
	const n = 30
	ws := s.open()
	rdb, proxy := s.proxied()
	far := s.use(rdb)
	for _, leave := range []int{n / 2, n} {
		for _, iterated := range []bool{false, true} {
			s.store(ws, "v", numbers(n)...)
			if iterated {
				s.gives(ifind(ws, "v"), ints(0, n)...)
			}
			s.declare(far, "v", workspace.FIFO)
			var all []*pending
			s.together(proxy, func() {
				all = s.numberFetches(far, "v", n)
				time.AfterFunc(25*time.Millisecond, func() {
					for _, p := range all[:leave] {
						p.cancel()
					}
				})
			})
			var came tally
			for i, p := range all {
				p.end()
				switch {
				case p.err == nil:
					came.add(p.value)
				case i >= leave || !errors.Is(p.err, context.Canceled) || isUnknown(p.err):
					s.Errorf("fetch %d: %v", i, p.err)
				}
			}
			left := s.drain(ws, "v")
			if iterated && !slices.IsSortedFunc(left, byNumber) { // else a request puts its values before those of others
				s.Errorf("what is left came as %q", left)
			}
			came.add(left...)
			came.once(s, n)
			s.must(ws.DeleteVar(s.ctx, "v"))
		}
	}
}

// Redis does not answer for so long that those who leave do not wait for it. What would have been theirs goes back.
func togetherFetchCancelledForLong(s *site) {
	const n = 30
	ws := s.open()
	rdb, proxy := s.proxied()
	far := s.use(rdb)
	s.store(ws, "v", numbers(n)...)
	s.declare(far, "v", workspace.FIFO)
	proxy.freeze()
	leave := func(some []*pending) {
		time.Sleep(50 * time.Millisecond) // as in together
		for _, p := range some {
			p.cancel()
		}
		for _, p := range some {
			if p.end(); !errors.Is(p.err, context.Canceled) {
				s.Errorf("%s: %q, %v", p.what, p.value, p.err)
			}
		}
	}
	first := s.numberFetches(far, "v", 2) // the others wait until these have left
	time.Sleep(50 * time.Millisecond)     // as in together
	all := s.numberFetches(far, "v", n)
	leave(first)
	leave(all[:n/2])
	proxy.thaw()
	var came tally
	for _, p := range all[n/2:] {
		p.end()
		s.must(p.err)
		came.add(p.value)
	}
	s.eventually(func() bool {
		came.add(s.drain(ws, "v")...)
		return came.total() == n
	}, func() string { return fmt.Sprintf("%d of %d values came", came.total(), n) })
	came.once(s, n)
}

func byNumber(a, b string) int {
	x, _ := strconv.Atoi(a)
	y, _ := strconv.Atoi(b)
	return x - y
}

// ints are those from first on, before end.
func ints(first, end int) []int {
	all := []int{}
	for i := first; i < end; i++ {
		all = append(all, i)
	}
	return all
}

// What does not convert goes back, each value to its place, and nobody else's goes with it.
func togetherFetchBadValues(s *site) {
	const n = 30
	ws := s.open()
	rdb, proxy := s.proxied()
	far := s.use(rdb)
	for _, iterated := range []bool{false, true} {
		for i := range n {
			if i%3 == 0 {
				s.store(ws, "v", fmt.Sprint(i))
			} else {
				s.store(ws, "v", i)
			}
		}
		if iterated {
			for _, err := range bytewise["IFind"](ws, "v").Try(s.ctx) {
				s.must(err)
			}
		}
		s.declare(far, "v", workspace.FIFO)
		var all []*pending
		s.together(proxy, func() { all = s.numberFetches(far, "v", n) })
		var came tally
		for _, p := range all {
			p.end()
			if errors.Is(p.err, workspace.ErrValue) {
				continue
			}
			s.must(p.err)
			if p.value != nothing {
				came.add(p.value)
			}
		}
		left := s.drain(ws, "v")
		var bare []string
		for _, text := range left {
			if number, err := strconv.Unquote(text); err == nil {
				text = number
			}
			bare = append(bare, text)
		}
		if iterated && !slices.IsSortedFunc(bare, byNumber) {
			s.Errorf("what is left came as %q", left)
		}
		came.add(bare...)
		came.once(s, n)
		s.must(ws.DeleteVar(s.ctx, "v"))
	}
}

// The values of one request come from claims that have ended and from the list; each goes back to where it was.
func togetherFetchBadValuesOfClaims(s *site) {
	const n = 24
	ws := s.open()
	rdb, proxy := s.proxied()
	far := s.use(rdb)
	for i := range n {
		s.store(ws, "v", fmt.Sprint(i), i)
	}
	for range 3 {
		claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 5})
		s.must(claim.Release(s.ctx, indexes(claim)...))
	}
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 6})
	s.must(claim.Release(s.ctx, claim.Values[1].Index, claim.Values[2].Index, claim.Values[4].Index))
	s.declare(far, "v", workspace.FIFO)
	var all []*pending
	s.together(proxy, func() { all = s.numberFetches(far, "v", n) })
	var came tally
	for _, p := range all {
		p.end()
		if p.err == nil && p.value != nothing {
			came.add(p.value)
		} else if !errors.Is(p.err, workspace.ErrValue) {
			s.Errorf("%s: %q, %v", p.what, p.value, p.err)
		}
	}
	s.must(claim.Release(s.ctx, indexes(claim)...))
	texts := map[string]int{}
	for _, text := range s.drain(ws, "v") {
		texts[text]++
		if _, err := strconv.Unquote(text); err != nil {
			came.add(text)
		}
	}
	came.once(s, n)
	for i := range n {
		if quoted := strconv.Quote(fmt.Sprint(i)); texts[quoted] != 1 {
			s.Errorf("%s came %d times", quoted, texts[quoted])
		}
	}
}

func togetherFetchPanics(s *site) {
	const n = 20
	ws := s.open()
	rdb, proxy := s.proxied()
	far := s.use(rdb)
	s.store(ws, "v", numbers(2*n)...)
	s.declare(far, "v", workspace.FIFO)
	v := workspace.NewVar[panicking](far, "v")
	var panics sync.WaitGroup
	var all []*pending
	s.together(proxy, func() {
		for range n {
			panics.Go(func() { s.panics(func() { _, _ = v.Fetch(s.ctx) }) })
		}
		all = s.numberFetches(far, "v", n)
	})
	panics.Wait()
	var came tally
	for _, p := range all {
		p.end()
		s.must(p.err)
		came.add(p.value)
	}
	came.add(s.drain(ws, "v")...)
	came.once(s, 2*n)
}

func togetherFetchLostReplies(s *site) {
	const n, rounds = 40, 5
	ws := s.open()
	rdb, proxy := s.proxied()
	far := s.use(rdb)
	s.store(ws, "lossy", numbers(n*rounds)...)
	var came tally
	for range rounds {
		lost := proxy.loseReply()
		for _, p := range s.numberFetches(far, "lossy", n) {
			p.end()
			s.must(p.err)
			came.add(p.value)
		}
		<-lost
	}
	came.once(s, n*rounds)
	s.holds(ws, "lossy")
}

// Large values are taken one by one, and small ones after them together again.
func togetherFetchLargeValues(s *site) {
	const n, size = 60, 300 << 10
	ws := s.open()
	for i := range n {
		s.store(ws, "v", block(i, []int{size, 10}[i/10%2]))
	}
	var came tally
	hammer(20, func(int) {
		for {
			var value []byte
			ok, err := ws.TryFetch(s.ctx, "v", &value)
			if err != nil {
				s.Error(err)
			}
			if !ok || err != nil {
				return
			}
			number := string(value[:1])
			if len(value) > 1 && value[1] >= '0' && value[1] <= '9' {
				number = string(value[:2])
			}
			i, _ := strconv.Atoi(number)
			if want := block(i, []int{size, 10}[i/10%2]); !slices.Equal(value, want) {
				s.Errorf("value %d came as %.10q… with %d bytes", i, value, len(value))
			}
			came.add(number)
		}
	})
	came.once(s, n)
}

func togetherFetchFails(s *site) {
	ws := s.open()
	far := s.use(s.client())
	s.store(far, "v", numbers(50)...)
	s.damage("waiters", "v")
	for _, p := range s.numberFetches(far, "v", 50) {
		if p.end(); p.err != nil { // who asks for one value of many need not look at who waits
			s.wantErr(p.err, workspace.ErrDamaged)
			s.names(p.err, s.name(), "v")
		}
	}
	s.must(ws.Delete(s.ctx))
	for _, p := range s.numberFetches(far, "v", 50) {
		p.fails(workspace.ErrNoWorkspace)
	}
}

// A handle is closed while many fetch: they end, and what nobody has got is there.
func togetherFetchClosed(s *site) {
	const n = 2000
	ws := s.open()
	far := s.use(s.client())
	s.store(ws, "v", numbers(n)...)
	var came tally
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			for {
				var value int
				if err := far.Fetch(s.ctx, "v", &value); err != nil {
					s.wantErr(err, workspace.ErrClosed)
					return
				}
				came.add(strconv.Itoa(value))
			}
		})
	}
	s.eventually(func() bool { return came.total() > n/10 }, func() string { return "nothing comes" })
	s.must(far.Close())
	all.Wait()
	came.add(s.drain(ws, "v")...)
	came.once(s, n)
}
