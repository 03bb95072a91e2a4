package workspacetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

var killTests = []test{
	{"V10KilledSubscriptionsLoseNothing", v10KilledSubscriptionsLoseNothing},
	{"V5KilledConnectionsDoubleNothing", v5KilledConnectionsDoubleNothing},
	{"KilledConnectionsStopNoRepeatableCall", killedConnectionsStopNoRepeatableCall},
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
			fetchers.Go(func() {
				for {
					var text []byte
					err := h.Fetch(ctx, "v", &text)
					if errors.Is(err, context.Canceled) {
						return
					}
					if err != nil {
						s.Error(err)
						return
					}
					came.add(string(text))
				}
			})
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
	s.eventually(func() bool { return came.total() == values || s.Failed() }, func() string {
		return fmt.Sprintf("%d of %d values came", came.total(), values)
	})
	stop()
	enough()
	fetchers.Wait()
	came.once(s, values)
	s.waiting(ws, "v", 0, 0)
}

// Store and Fetch do not repeat themselves when it is not known what became of them: they say so, and the rest holds.
func v5KilledConnectionsDoubleNothing(s *site) {
	const values = 300
	ws := s.open()
	h := s.use(s.client())
	stop := s.killing("normal", 3*time.Millisecond)
	var came tally
	unknown := map[string]bool{}
	mayBeUnknown := func(i int, err error) bool {
		s.Helper()
		if err == nil {
			return false
		}
		if _, ok := errors.AsType[*redisx.UnknownError](err); !ok {
			s.Fatalf("value %d: error %v, want an UnknownError at worst", i, err)
		}
		return true
	}
	unknownFetches := 0
	for i := range values {
		if mayBeUnknown(i, h.Store(s.ctx, "v", i)) {
			unknown[strconv.Itoa(i)] = true
		}
		var text []byte
		ok, err := h.TryFetch(s.ctx, "v", &text)
		if mayBeUnknown(i, err) {
			unknownFetches++
		} else if ok {
			came.add(string(text))
		}
	}
	stop()
	came.add(s.drain(ws, "v")...)
	missing := 0
	for i := range values {
		value := strconv.Itoa(i)
		switch times := came.times[value]; {
		case times > 1:
			s.Errorf("value %d came %d times", i, times)
		case times == 0 && !unknown[value]:
			missing++
		}
	}
	if missing > unknownFetches {
		s.Errorf("%d values are lost, and only %d fetches said that they do not know", missing, unknownFetches)
	}
	s.Logf("%d stores and %d fetches did not know", len(unknown), unknownFetches)
}

func killedConnectionsStopNoRepeatableCall(s *site) {
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
		// It may take its own first try for somebody else's.
		if err := settleAll(s.ctx, claim, "done"); err != nil && !errors.Is(err, workspace.ErrClaimLost) {
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
