package workspacetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

var cancelTests = []test{
	{"V9LeavesNoWaiter", v9LeavesNoWaiter},
	{"V9EndedBefore", v9EndedBefore},
	{"V9ManyAtOnce", v9ManyAtOnce},
	{"V9ValueGoesToTheNext", v9ValueGoesToTheNext},
	{"V9ValueGoesBackToTheHead", v9ValueGoesBackToTheHead},
	{"V9ManyCancelsRaceWithStores", v9ManyCancelsRaceWithStores},
	{"V9EndsAtOnceWhereRedisIsFrozen", v9EndsAtOnceWhereRedisIsFrozen},
	{"V9LeavesNoWaiterAfterAnOutage", v9LeavesNoWaiterAfterAnOutage},
}

func v9LeavesNoWaiter(s *site) {
	ws := s.open()
	waiters := []*pending{s.fetch(ws, "v"), s.find(ws, "v"), s.claims(ws, "v", nil)}
	s.waiting(ws, "v", 2, 1)
	for _, w := range waiters {
		w.cancel()
		w.fails(context.Canceled)
	}
	s.waiting(ws, "v", 0, 0)

	ctx, cancel := context.WithTimeout(s.ctx, 10*time.Millisecond)
	defer cancel()
	var text []byte
	s.wantErr(ws.Fetch(ctx, "v", &text), context.DeadlineExceeded)
	s.waiting(ws, "v", 0, 0)
	s.store(ws, "v", 1)
	s.holds(ws, "v", "1")
}

func v9EndedBefore(s *site) {
	ws := s.open()
	s.store(ws, "v", 1)
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	var text []byte
	s.wantErr(ws.Fetch(ctx, "v", &text), context.Canceled)
	s.wantErr(ws.Find(ctx, "v", &text), context.Canceled)
	_, err := ws.Claim(ctx, "v", nil)
	s.wantErr(err, context.Canceled)
	_, err = ws.TryFetch(ctx, "v", &text)
	s.wantErr(err, context.Canceled)
	s.wantErr(ws.Store(ctx, "v", 2), context.Canceled)
	s.holds(ws, "v", "1")
}

func v9ManyAtOnce(s *site) {
	const n = 100
	ws := s.open()
	ctx, cancel := context.WithCancel(s.ctx)
	errs := make(chan error, n)
	for range n {
		go func() {
			var text []byte
			errs <- ws.Fetch(ctx, "v", &text)
		}()
	}
	s.waiting(ws, "v", n, 0)
	cancel()
	for range n {
		s.wantErr(<-errs, context.Canceled)
	}
	s.waiting(ws, "v", 0, 0)
	s.store(ws, "v", 1)
	s.holds(ws, "v", "1")
}

// The first waiter is handed the value and does not hear of it; its context ends, and the next waiter gets the value.
func v9ValueGoesToTheNext(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	first := s.fetch(s.use(rdb), "v")
	s.waiting(ws, "v", 1, 0)
	second := s.fetch(ws, "v")
	s.waiting(ws, "v", 2, 0)
	proxy.deafen()
	s.store(ws, "v", 1)
	first.cancel()
	first.end()
	if first.err == nil { // a beat came in between
		s.store(ws, "v", 1)
	}
	second.gets("1")
	s.waiting(ws, "v", 0, 0)
	s.holds(ws, "v")
}

func v9ValueGoesBackToTheHead(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	deaf := s.use(rdb)
	for mode, want := range map[workspace.Mode][]string{
		workspace.FIFO: {"1", "2", "3"}, workspace.LIFO: {"1", "3", "2"}, workspace.Single: {"3"},
	} {
		name := string(mode)
		s.declare(ws, name, mode)
		proxy.hear()
		waiter := s.fetch(deaf, name)
		s.waiting(ws, name, 1, 0)
		proxy.deafen()
		s.store(ws, name, 1)
		s.store(ws, name, 2, 3)
		waiter.cancel()
		if waiter.end(); waiter.err == nil { // a beat came in between
			s.drain(ws, name)
			continue
		}
		s.waiting(ws, name, 0, 0)
		s.holds(ws, name, want...)
	}
}

// Contexts end at any moment while values are stored: none of these may be lost or doubled, and nobody stays behind.
func v9ManyCancelsRaceWithStores(s *site) {
	const values, clients, fetchersEach = 80, 2, 3
	ws := s.open()
	var came tally
	var fetchers sync.WaitGroup
	stop, stopped := context.WithCancel(s.ctx)
	ended := 0
	var mu sync.Mutex
	for c := range clients {
		h := s.use(s.client())
		for f := range fetchersEach {
			chance := rand.New(rand.NewPCG(uint64(c), uint64(f)))
			fetchers.Go(func() {
				for stop.Err() == nil {
					ctx, cancel := context.WithTimeout(s.ctx, time.Duration(chance.IntN(3000))*time.Microsecond)
					var text []byte
					err := h.Fetch(ctx, "v", &text)
					cancel()
					switch {
					case err == nil:
						came.add(string(text))
					case errors.Is(err, context.DeadlineExceeded):
						mu.Lock()
						ended++
						mu.Unlock()
					default:
						s.Error(err)
						return
					}
				}
			})
		}
	}
	for i := range values {
		s.store(ws, "v", i)
	}
	stopped()
	fetchers.Wait()
	s.waiting(ws, "v", 0, 0)
	came.add(s.drain(ws, "v")...)
	came.once(s, values)
	s.Logf("%d fetches ended without a value", ended)
}

// A call whose connection is silent ends with its context, after the time that it gives Redis to know of it.
func v9EndsAtOnceWhereRedisIsFrozen(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	away := s.use(rdb)
	waiters := []*pending{s.fetch(away, "v"), s.find(away, "v")}
	s.waiting(ws, "v", 1, 1)
	proxy.quiet()
	proxy.freeze()
	for _, w := range waiters {
		w.cancel()
		w.fails(context.Canceled)
	}
	proxy.thaw()
	s.waiting(ws, "v", 0, 0)
}

// The context ends while Redis cannot be reached, for longer than anybody tries to tell it. The handle lives on, since
// another call of it waits, and so nobody else takes its waiter for dead: values must not go to it for ever.
func v9LeavesNoWaiterAfterAnOutage(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	away := s.use(rdb)
	gone, stays := s.fetch(away, "v"), s.fetch(away, "w")
	s.waiting(ws, "v", 1, 0)
	s.waiting(ws, "w", 1, 0)
	proxy.quiet()
	proxy.refuse()
	gone.cancel()
	gone.fails(context.Canceled)
	outage := time.NewTimer(6500 * time.Millisecond) // longer than the 5 s for which it tries
	defer outage.Stop()
	<-outage.C
	proxy.allow()
	s.store(ws, "w", 1)
	stays.gets("1")
	stays = s.fetch(away, "w")
	s.waiting(ws, "w", 1, 0)

	s.store(ws, "v", 2)
	var left []string
	s.eventually(func() bool {
		left = s.drain(ws, "v")
		return len(left) > 0
	}, func() string { return fmt.Sprintf("the value stays with a waiter that is no more: %q", s.snapshot()) })
	if left[0] != strconv.Itoa(2) {
		s.Fatalf("got %q, want 2", left)
	}
	s.store(ws, "w", 3)
	stays.gets("3")
}
