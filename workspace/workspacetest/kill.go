package workspacetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/workspace"
)

var killTests = []test{
	{"V10KilledSubscriptionsLoseNothing", v10KilledSubscriptionsLoseNothing},
	{"V5KilledConnectionsDoubleNothing", v5KilledConnectionsDoubleNothing},
	{"KilledConnectionsStopNoCall", killedConnectionsStopNoCall},
}

// killing breaks all connections of a type but its own, every few milliseconds, until the returned function is called.
func (s *site) killing(kind string, every time.Duration) (stop func()) {
	s.Helper()
	admin := s.client().Redis().(*redis.Client).Conn()
	ctx, cancel := context.WithCancel(s.ctx)
	var running sync.WaitGroup
	killed := int64(0)
	running.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			n, err := admin.ClientKillByFilter(s.ctx, "TYPE", kind, "SKIPME", "yes").Result()
			if err != nil {
				s.Error(err)
				return
			}
			killed += n
		}
	})
	stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		_ = admin.Close()
		s.Logf("%d connections were killed", killed)
		if killed == 0 {
			s.Error("no connection was killed")
		}
	})
	s.Cleanup(stop)
	return stop
}

// Whoever waits, and hears nothing for most of the time, still gets all values.
func v10KilledSubscriptionsLoseNothing(s *site) {
	const values = 300
	ws := s.open()
	var came tally
	ctx, enough := context.WithCancel(s.ctx)
	var fetchers sync.WaitGroup
	for range 2 {
		h := s.use(s.client())
		for range 4 {
			fetchers.Go(func() { came.fetches(ctx, s, h, "v") })
		}
	}
	s.waiting(ws, "v", 8, 0)
	stop := s.killing("pubsub", 5*time.Millisecond)
	for i := range values {
		finder := s.find(ws, fmt.Sprint("f", i%10))
		s.store(ws, "v", i)
		s.store(ws, fmt.Sprint("f", i%10), i)
		finder.end()
		s.must(finder.err)
	}
	came.whole(s, "v", values)
	stop()
	enough()
	fetchers.Wait()
	came.once(s, values)
	s.waiting(ws, "v", 0, 0)
}

// Store and Fetch are done once, and no call fails.
func v5KilledConnectionsDoubleNothing(s *site) {
	const values = 300
	ws := s.open()
	h := s.use(s.client())
	stop := s.killing("normal", 3*time.Millisecond)
	var came tally
	for i := range values {
		if err := h.Store(s.ctx, "v", i); err != nil {
			s.Fatalf("Store of %d: %v", i, err)
		}
		var text []byte
		ok, err := h.TryFetch(s.ctx, "v", &text)
		if !ok || err != nil {
			s.Fatalf("TryFetch after %d was stored: %v, %v", i, ok, err)
		}
		came.add(string(text))
	}
	stop()
	came.once(s, values)
	s.holds(ws, "v")
}

func killedConnectionsStopNoCall(s *site) {
	const values = 100
	ws := s.open()
	h := s.use(s.client())
	s.declare(ws, "done", workspace.FIFO)
	s.store(ws, "v", numbers(values)...)
	s.store(ws, "constant", "c")
	stop := s.killing("normal", 3*time.Millisecond)
	for range values {
		var text string
		if err := h.Find(s.ctx, "constant", &text); err != nil || text != "c" {
			s.Fatalf("Find: %q, %v", text, err)
		}
		claim, err := h.Claim(s.ctx, "v", nil)
		if err != nil {
			s.Fatalf("Claim: %v", err)
		}
		if err := claim.Renew(s.ctx, time.Minute); err != nil {
			s.Fatalf("Renew: %v", err)
		}
		if err := settleAll(s.ctx, claim, "done"); err != nil {
			s.Fatalf("Settle: %v", err)
		}
		if err := h.Declare(s.ctx, "d", workspace.LIFO); err != nil {
			s.Fatalf("Declare: %v", err)
		}
		if infos, err := h.ListVars(s.ctx); err != nil || len(infos) < 3 {
			s.Fatalf("ListVars: %v, %v", infos, err)
		}
	}
	stop()
	var came tally
	came.add(s.drain(ws, "done")...)
	came.once(s, values)
}
