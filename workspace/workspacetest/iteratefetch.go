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

var iterateFetchTests = []test{
	{"I2FetchesShareAll", i2FetchesShareAll},
	{"I2FetchesShareWithFetch", i2FetchesShareWithFetch},
	{"I2FetchServesInOrder", i2FetchServesInOrder},
	{"I2FetchLeftInTheMiddle", i2FetchLeftInTheMiddle},
	{"I2FetchLeftByAPanic", i2FetchLeftByAPanic},
	{"I2FetchContextEndsInTheMiddle", i2FetchContextEndsInTheMiddle},
	{"I2FetchClosedInTheMiddle", i2FetchClosedInTheMiddle},
	{"I2FetchSlowLoopKeepsNothing", i2FetchSlowLoopKeepsNothing},
	{"I2FetchAndClaims", i2FetchAndClaims},
	{"I2FetchLostReplies", i2FetchLostReplies},
	{"I2FetchAfterAnOutage", i2FetchAfterAnOutage},
}

// Several loops of several clients take what is stored before and while they run: each value once.
func i2FetchesShareAll(s *site) {
	const clients, loopsEach, values = 2, 2, 3000
	ws := s.open()
	s.store(ws, "v", numbers(values/2)...)
	var came tally
	ctx, stop := context.WithCancel(s.ctx)
	var loops sync.WaitGroup
	for range clients {
		h := s.use(s.client())
		for range loopsEach {
			loops.Go(func() {
				for value, err := range ifetch(h, "v").All(ctx) {
					switch {
					case err == nil:
						came.add(strconv.Itoa(value))
					case !errors.Is(err, context.Canceled):
						s.Error(err)
					}
				}
			})
		}
	}
	rest := numbers(values)[values/2:]
	for some := range slices.Chunk(rest, 7) {
		s.store(ws, "v", some...)
	}
	came.whole(s, "v", values)
	stop()
	loops.Wait()
	s.waiting(ws, "v", 0, 0)
	s.holds(ws, "v")
	came.once(s, values)
}

// Loops that are left at any moment, single fetches and tries: each value once.
func i2FetchesShareWithFetch(s *site) {
	const values = 600
	ws := s.open()
	s.store(ws, "v", numbers(values)...)
	var came tally
	var all sync.WaitGroup
	for c := range 3 {
		h := s.use(s.client())
		all.Go(func() {
			it := ifetch(h, "v")
			for n := c + 1; came.total() < values && s.ctx.Err() == nil; n = n%40 + 3 {
				taken := 0
				for value, err := range it.Try(s.ctx) {
					if err != nil {
						s.Error(err)
						return
					}
					came.add(strconv.Itoa(value))
					if taken++; taken == n {
						break
					}
				}
				var text []byte
				ok, err := h.TryFetch(s.ctx, "v", &text)
				if err != nil {
					s.Error(err)
					return
				}
				if ok {
					came.add(string(text))
				}
			}
		})
	}
	all.Wait()
	s.holds(ws, "v")
	came.once(s, values)
}

// V4: who iterates stands in the same line as who fetches.
func i2FetchServesInOrder(s *site) {
	ws := s.open()
	other := s.use(s.client())
	first, second := ifetch(ws, "v"), ifetch(other, "v")
	for _, extra := range []int{0, 2} {
		all := []*pending{s.following(first)}
		s.waiting(ws, "v", 1, 0)
		all = append(all, s.fetch(other, "v"))
		s.waiting(ws, "v", 2, 0)
		all = append(all, s.following(second))
		s.waiting(ws, "v", 3, 0)
		s.store(ws, "v", numbers(3+extra)...)
		for i, p := range all {
			p.gets(strconv.Itoa(i))
		}
	}
	s.holds(ws, "v", "3", "4")
}

// Wherever a loop is left, nothing is lost and the order is kept: for the same iterator, for others, and in what is left.
func i2FetchLeftInTheMiddle(s *site) {
	const n = 120
	ws := s.open()
	other := ifetch(s.use(s.client()), "v")
	it := ifetch(ws, "v")
	s.store(ws, "v", numbers(n)...)
	var got []int
	for k := 1; len(got) < n; k++ {
		if k%3 == 0 {
			got = append(got, s.some(other, k)...)
		} else {
			got = append(got, s.some(it, k)...)
		}
		if left := s.info(ws, "v").Values; left != n-len(got) {
			s.Fatalf("%d values are left after %d of %d were taken", left, len(got), n)
		}
	}
	for i, value := range got {
		if value != i {
			s.Fatalf("the values came as %d", got)
		}
	}
	s.store(ws, "v", numbers(n)...)
	s.some(it, n/2)
	left := s.drain(ws, "v")
	for i, text := range left {
		if text != strconv.Itoa(n/2+i) {
			s.Fatalf("what was left is %q", left)
		}
	}
	if len(left) != n/2 {
		s.Fatalf("%d values are left, want %d", len(left), n/2)
	}
}

func i2FetchLeftByAPanic(s *site) {
	ws := s.open()
	s.store(ws, "v", numbers(100)...)
	taken := 0
	func() {
		defer func() {
			if recover() == nil {
				s.Error("the loop's panic is lost")
			}
		}()
		for _, err := range ifetch(ws, "v").Try(s.ctx) {
			s.must(err)
			if taken++; taken == 50 {
				panic("in the loop")
			}
		}
	}()
	if left := s.drain(ws, "v"); len(left) != 50 || left[0] != "50" {
		s.Fatalf("%q are left", left)
	}
}

func i2FetchContextEndsInTheMiddle(s *site) {
	const n = 300
	ws := s.open()
	s.store(ws, "v", numbers(n)...)
	it := ifetch(ws, "v")
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	var got []int
	for value, err := range it.All(ctx) {
		if err != nil {
			s.wantErr(err, context.Canceled)
			break
		}
		if got = append(got, value); len(got) == n/2 {
			cancel() // what it has taken ahead, it may still give
		}
	}
	if len(got) < n/2 || len(got) == n {
		s.Fatalf("%d of %d values came", len(got), n)
	}
	got = append(got, s.tries(it)...)
	for i, value := range got {
		if value != i {
			s.Fatalf("the values came as %d", got)
		}
	}
	if len(got) != n {
		s.Fatalf("%d of %d values came", len(got), n)
	}
}

// The handle is closed from within the loop. What the loop has not come to is not lost with it.
func i2FetchClosedInTheMiddle(s *site) {
	for _, leave := range []bool{false, true} {
		closedInTheMiddle(s, leave)
	}
}

func closedInTheMiddle(s *site, leave bool) {
	const n = 200
	ws := s.open()
	other := s.use(s.client())
	s.store(ws, "v", numbers(n)...)
	var got []string
	for value, err := range ifetch(other, "v").All(s.ctx) {
		if err != nil {
			s.wantErr(err, workspace.ErrClosed)
			break
		}
		if got = append(got, strconv.Itoa(value)); len(got) == n/2 {
			s.must(other.Close())
			if leave {
				break
			}
		}
	}
	var came tally
	came.add(got...)
	s.eventually(func() bool {
		came.add(s.drain(ws, "v")...)
		return came.total() == n
	}, func() string { return fmt.Sprintf("%d of %d values are lost", n-came.total(), n) })
	came.once(s, n)
}

// The loop is held up with values that it has taken ahead: they go back, and others get them in their order.
func i2FetchSlowLoopKeepsNothing(s *site) {
	const n, until = 400, 150
	ws := s.open()
	other := s.use(s.client())
	s.store(ws, "v", numbers(n)...)
	it := ifetch(ws, "v")
	got := 0
	for value, err := range it.Try(s.ctx) {
		s.must(err)
		if value != got {
			s.Fatalf("value %d came in place of %d", value, got)
		}
		if got++; got < until {
			continue
		}
		if got > until {
			s.Fatalf("value %d came to others before", value)
		}
		left := 0
		s.eventually(func() bool {
			left = s.info(ws, "v").Values
			return left == n-until
		}, func() string { return fmt.Sprintf("the loop keeps %d values", n-until-left) })
		for i, text := range s.drain(other, "v") {
			if text != strconv.Itoa(until+i) {
				s.Fatalf("value %d came to others as %s", until+i, text)
			}
		}
	}
	if got != until {
		s.Fatalf("the loop got %d values, want %d", got, until)
	}
	s.store(ws, "v", n)
	s.gives(it, n)
}

// Values whose claims were released or have ended come first, as to any fetch.
func i2FetchAndClaims(s *site) {
	ws := s.open()
	s.store(ws, "v", numbers(9)...)
	it := ifetch(ws, "v")
	if got := s.some(it, 1); !slices.Equal(got, []int{0}) {
		s.Fatalf("the first is %d", got)
	}
	released := s.claim(ws, "v", &workspace.ClaimOptions{Max: 2})
	lapsed := s.claim(s.use(s.client()), "v", &workspace.ClaimOptions{Max: 2})
	if got := s.some(it, 1); !slices.Equal(got, []int{5}) {
		s.Fatalf("after a claim of four comes %d, want 5", got)
	}
	s.must(released.Release(s.ctx, indexes(released)...))
	s.ended("v")
	s.gives(it, 1, 2, 3, 4, 6, 7, 8)
	s.wantErr(settleAll(s.ctx, lapsed, ""), workspace.ErrClaimLost)
}

// A loop whose replies are lost asks again, and gets what it has taken.
func i2FetchLostReplies(s *site) {
	const n = 200
	ws := s.open()
	rdb, proxy := s.proxied()
	away := s.use(rdb)
	s.store(ws, "lossy", numbers(n)...)
	var came tally
	it := ifetch(away, "lossy")
	for taken := 0; taken < n; {
		lost := proxy.loseReply()
		for value, err := range it.Try(s.ctx) {
			s.must(err)
			came.add(strconv.Itoa(value))
			if taken++; taken%20 == 0 {
				break
			}
		}
		<-lost
	}
	came.once(s, n)
	s.holds(ws, "lossy")
}

// The loop is held up while Redis cannot be reached, so that what it has taken ahead cannot go back for longer than anybody
// tries. It goes on when Redis is there again, and nothing is lost.
func i2FetchAfterAnOutage(s *site) {
	const n = 400
	ws := s.open()
	rdb, proxy := s.proxied()
	away := s.use(rdb)
	s.store(ws, "v", numbers(n)...)
	var came tally
	it := ifetch(away, "v")
	taken := 0
	for value, err := range it.Try(s.ctx) {
		s.must(err)
		came.add(strconv.Itoa(value))
		if taken++; taken != n/2 {
			continue
		}
		proxy.refuse()
		outage := time.NewTimer(6500 * time.Millisecond) // longer than the 5 s for which it tries
		<-outage.C
		proxy.allow()
	}
	s.eventually(func() bool { // what went back late
		for _, value := range s.tries(it) {
			came.add(strconv.Itoa(value))
		}
		return came.total() == n
	}, func() string { return fmt.Sprintf("%d of %d values came", came.total(), n) })
	came.once(s, n)
	s.holds(ws, "v")
}
