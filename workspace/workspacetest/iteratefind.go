package workspacetest

import (
	"slices"
	"sync"

	"github.com/netspaces/netspaces/workspace"
)

var iterateFindTests = []test{
	{"I2FindBeginsAtTheOldest", i2FindBeginsAtTheOldest},
	{"I2FindsAreIndependent", i2FindsAreIndependent},
	{"I2FindSkipsWhatWasTaken", i2FindSkipsWhatWasTaken},
	{"I2FindSkipsWhatWasTakenWhileItsLoopRuns", i2FindSkipsWhatWasTakenWhileItsLoopRuns},
	{"I2FindSkipsWhatWasTakenWhileItWaits", i2FindSkipsWhatWasTakenWhileItWaits},
	{"I2FindMissesNoneWhileOthersTake", i2FindMissesNoneWhileOthersTake},
	{"I2FindOfManyTakesNone", i2FindOfManyTakesNone},
	{"I2FindAndReleasedClaims", i2FindAndReleasedClaims},
	{"I2FindAndEndedClaims", i2FindAndEndedClaims},
	{"I2FindAndEarlierClaims", i2FindAndEarlierClaims},
	{"I2FindAndCancelledFetches", i2FindAndCancelledFetches},
	{"I2FindSeesWhatDidNotConvert", i2FindSeesWhatDidNotConvert},
	{"I2FindSeesWhatAnIFetchLeft", i2FindSeesWhatAnIFetchLeft},
	{"I2FindSeesWhatIsPutInByHand", i2FindSeesWhatIsPutInByHand},
}

func i2FindBeginsAtTheOldest(s *site) {
	ws := s.open()
	s.store(ws, "v", 1, 2, 3, 4)
	s.fetch(ws, "v").gets("1")
	it := ifind(ws, "v")
	s.fetch(ws, "v").gets("2")
	s.gives(it, 3, 4)
	s.gives(ifind(s.use(s.client()), "v"), 3, 4)
	s.holds(ws, "v", "3", "4")
}

func i2FindsAreIndependent(s *site) {
	ws := s.open()
	other := s.use(s.client())
	s.store(ws, "v", numbers(10)...)
	first, second, third := ifind(ws, "v"), ifind(ws, "v"), ifind(other, "v")
	var got [3][]int
	for i := range 10 {
		got[0] = append(got[0], s.some(first, 1)...)
		if i%2 == 0 {
			got[1] = append(got[1], s.some(second, 1)...)
		}
		if i%5 == 0 {
			got[2] = append(got[2], s.some(third, 5)...)
		}
	}
	got[1] = append(got[1], s.tries(second)...)
	for i := range got {
		if want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}; !slices.Equal(got[i], want) {
			s.Errorf("iterator %d gave %d, want %d", i, got[i], want)
		}
	}
	all := []*pending{s.following(first), s.following(second), s.following(third)}
	s.waiting(ws, "v", 0, 3)
	s.store(ws, "v", 10)
	for _, p := range all {
		p.gets("10")
	}
}

func i2FindSkipsWhatWasTaken(s *site) {
	ws := s.open()
	other := s.use(s.client())
	s.store(ws, "v", numbers(10)...)
	it := ifind(ws, "v")
	if got := s.some(it, 2); !slices.Equal(got, []int{0, 1}) {
		s.Fatalf("the first values are %d", got)
	}
	for range 5 { // two that it has seen, and three that it has not
		s.fetch(other, "v").end()
	}
	if got := s.some(it, 1); !slices.Equal(got, []int{5}) {
		s.Fatalf("the next value is %d, want 5", got)
	}
	claim := s.claim(other, "v", &workspace.ClaimOptions{Max: 3})
	s.gives(it, 8, 9)
	s.must(settleAll(s.ctx, claim, ""))
	s.drain(other, "v")
	s.gives(it)
	s.store(ws, "v", 10)
	s.gives(it, 10)
}

// The loop was fast, so that some values were read ahead; then it is held up, and others take them.
func i2FindSkipsWhatWasTakenWhileItsLoopRuns(s *site) {
	const n = 300
	ws := s.open()
	s.store(ws, "v", numbers(n)...)
	got := 0
	for value, err := range ifind(s.use(s.client()), "v").Try(s.ctx) {
		if s.must(err); value != got {
			s.Fatalf("%d came in place of %d", value, got)
		}
		if got++; got == n/2 {
			s.drain(ws, "v")
			s.store(ws, "v", got, n) // a new one with an old value, and another
		}
		if got == n/2+1 {
			got = n
		}
	}
	if got != n+1 {
		s.Fatalf("the last value is %d, want %d", got-1, n)
	}
}

// A value goes to those who wait in a fetch. It may be gone before who iterates comes to it; but what nobody takes is not
// missed.
func i2FindSkipsWhatWasTakenWhileItWaits(s *site) {
	ws := s.open()
	other := s.use(s.client())
	for range 10 {
		it := ifind(ws, "v")
		next := s.following(it)
		fetch := s.fetch(other, "v")
		s.waiting(ws, "v", 1, 1)
		s.store(ws, "v", 1)
		fetch.gets("1")
		s.store(ws, "v", 2)
		if next.end(); next.err != nil || next.value != "1" && next.value != "2" {
			s.Fatalf("the iterator gave %q, %v", next.value, next.err)
		}
		if next.value == "1" {
			s.gives(it, 2)
		}
		s.holds(ws, "v", "2")
	}
}

// Others take the first values while a loop is as fast as it can be: it gives all that nobody takes, in their order.
func i2FindMissesNoneWhileOthersTake(s *site) {
	const n, taken, rounds = 20_000, 4000, 3
	ws := s.open()
	taker := s.use(s.client())
	for range rounds {
		s.store(ws, "v", numbers(n)...)
		var taking sync.WaitGroup
		taking.Go(func() {
			for left := taken; left > 0; {
				values, err := taker.FetchN(s.ctx, "v", min(left, 20))
				if err != nil {
					s.Error(err)
					return
				}
				left -= len(values)
			}
		})
		last, since := -1, 0
		for value, err := range ifind(ws, "v").Try(s.ctx) {
			s.must(err)
			if value <= last {
				s.Fatalf("%d came after %d", value, last)
			}
			if last = value; value >= taken {
				since++
			}
		}
		taking.Wait()
		if since != n-taken {
			s.Errorf("%d values came that nobody has taken, want %d", since, n-taken)
		}
		s.must(ws.DeleteVar(s.ctx, "v"))
	}
}

func i2FindOfManyTakesNone(s *site) {
	const n = 2500 // some replies
	ws := s.open()
	s.store(ws, "v", numbers(n)...)
	it := ifind(ws, "v")
	got := s.tries(it)
	if len(got) != n || !slices.IsSorted(got) || got[n-1] != n-1 {
		s.Fatalf("%d values came, want %d in their order", len(got), n)
	}
	left := 0
	for left < n {
		values, err := ws.FetchN(s.ctx, "v", n)
		s.must(err)
		left += len(values)
	}
	s.holds(ws, "v")
	if left != n {
		s.Errorf("%d values are left, want %d", left, n)
	}
}

// What a claim gives back comes at its old place: to an iterator that had not come so far, and to one that begins; not a
// second time to one that had.
func i2FindAndReleasedClaims(s *site) {
	ws := s.open()
	s.store(ws, "v", numbers(6)...)
	behind, ahead, waits := ifind(ws, "v"), ifind(ws, "v"), ifind(ws, "v")
	s.some(behind, 1)
	s.gives(ahead, 0, 1, 2, 3, 4, 5)
	s.some(waits, 1)
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 6})
	s.gives(behind)
	next := s.following(waits)
	s.waiting(ws, "v", 0, 1)
	s.must(claim.Release(s.ctx, claim.Values[3].Index, claim.Values[4].Index))
	next.gets("3")
	s.gives(waits, 4)
	s.must(claim.Release(s.ctx, claim.Values[0].Index, claim.Values[1].Index))
	s.must(claim.Settle(s.ctx, workspace.Outcome{Index: claim.Values[2].Index}))
	s.gives(ifind(ws, "v"), 0, 1, 3, 4)
	s.gives(behind, 1, 3, 4)
	s.gives(ahead)
	s.must(claim.Release(s.ctx, claim.Values[5].Index))
	s.store(ws, "v", 6)
	s.gives(ahead, 6)
	s.gives(behind, 5, 6)
	s.gives(ifind(ws, "v"), 0, 1, 3, 4, 5, 6)
}

func i2FindAndEndedClaims(s *site) {
	ws := s.open()
	other := s.use(s.client())
	s.store(ws, "v", numbers(5)...)
	behind, ahead := ifind(ws, "v"), ifind(other, "v")
	s.some(behind, 1)
	s.gives(ahead, 0, 1, 2, 3, 4)
	s.claim(ws, "v", &workspace.ClaimOptions{Max: 3})
	s.gives(ifind(ws, "v"), 3, 4)
	s.ended("v")
	s.gives(behind, 1, 2, 3, 4)
	s.gives(ahead)
	s.gives(ifind(ws, "v"), 0, 1, 2, 3, 4)
	s.claim(other, "v", nil) // the same three again
	s.gives(ifind(ws, "v"), 3, 4)
	waits := ifind(ws, "v")
	s.some(waits, 2)
	s.ended("v")
	s.gives(ahead)
	s.holds(ws, "v", "0", "1", "2", "3", "4")
}

// The claim is older than the first iterator: its values were not counted then, and have their places all the same.
func i2FindAndEarlierClaims(s *site) {
	ws := s.open()
	s.store(ws, "v", numbers(7)...)
	first := s.claim(ws, "v", &workspace.ClaimOptions{Max: 2})
	second := s.claim(ws, "v", &workspace.ClaimOptions{Max: 2})
	it := ifind(ws, "v")
	s.gives(it, 4, 5, 6)
	s.must(second.Release(s.ctx, indexes(second)...))
	s.gives(ifind(ws, "v"), 2, 3, 4, 5, 6)
	s.must(first.Release(s.ctx, indexes(first)...))
	s.gives(ifind(ws, "v"), 0, 1, 2, 3, 4, 5, 6)
	s.gives(it)
	s.store(ws, "v", 7)
	s.gives(it, 7)
	s.holds(ws, "v", "0", "1", "2", "3", "4", "5", "6", "7")
}

// A fetch is handed a value, does not hear of it, and its context ends: the value is back at its place.
func i2FindAndCancelledFetches(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	deaf := s.use(rdb)
	s.store(ws, "v", 0)
	behind, ahead := ifind(ws, "v"), ifind(ws, "v")
	s.gives(behind, 0)
	s.gives(ahead, 0)
	s.fetch(ws, "v").gets("0")
	fetch := s.fetch(deaf, "v")
	s.waiting(ws, "v", 1, 0)
	proxy.deafen()
	s.store(ws, "v", 1, 2, 3)
	s.gives(ahead, 2, 3)
	fetch.cancel()
	if fetch.end(); fetch.err == nil { // a beat came in between
		s.gives(behind, 2, 3)
		return
	}
	s.waiting(ws, "v", 0, 0)
	s.gives(behind, 1, 2, 3)
	s.gives(ahead)
	s.gives(ifind(ws, "v"), 1, 2, 3)
	s.holds(ws, "v", "1", "2", "3")
}

// A fetch could not use what it got. It is there again, at its place, for who had not come to it.
func i2FindSeesWhatDidNotConvert(s *site) {
	ws := s.open()
	s.store(ws, "v", 1, 2, 3)
	behind, ahead := ifind(ws, "v"), ifind(ws, "v")
	s.some(behind, 1)
	s.gives(ahead, 1, 2, 3)
	s.fetch(ws, "v").gets("1")
	var list []string
	s.wantErr(ws.Fetch(s.ctx, "v", &list), workspace.ErrValue)
	_, err := ws.TryFetch(s.ctx, "v", &list)
	s.wantErr(err, workspace.ErrValue)
	s.gives(behind, 2, 3)
	s.gives(ahead)
	s.gives(ifind(ws, "v"), 2, 3)
	s.holds(ws, "v", "2", "3")
}

// A loop that takes has taken some values ahead, and gives them back when it is left.
func i2FindSeesWhatAnIFetchLeft(s *site) {
	const n = 200
	ws := s.open()
	s.store(ws, "v", numbers(n)...)
	behind := ifind(ws, "v")
	s.some(behind, 1)
	taker := ifetch(s.use(s.client()), "v")
	took := s.some(taker, n/2)
	if len(took) != n/2 || took[0] != 0 || took[n/2-1] != n/2-1 {
		s.Fatalf("took %d", took)
	}
	got := s.tries(behind)
	want := make([]int, n/2)
	for i := range want {
		want[i] = n/2 + i
	}
	if !slices.Equal(got, want) {
		s.Fatalf("%d values are left; the iterator that had not come to them gave %d", s.info(ws, "v").Values, got)
	}
	s.gives(ifind(ws, "v"), want...)
	s.gives(taker, want...)
}

func i2FindSeesWhatIsPutInByHand(s *site) {
	ws := s.open()
	it := ifind(ws, "v")
	next := s.following(it)
	s.waiting(ws, "v", 0, 1)
	s.push("v", 1, 2)
	next.gets("1")
	s.push("v", 3)
	s.gives(it, 2, 3)
}
