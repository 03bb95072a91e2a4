package workspacetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/redisx/redistest"
)

// Stage is where a history takes place: clients that reach Redis by a network that fails, and what else is to break.
type Stage struct {
	// Calm is a client that nothing happens to but what happens to the server.
	Calm *redisx.Client
	// Clients are those that make the calls.
	Clients []*redisx.Client
	// Proxies are those on the way of the clients. They lose requests and replies, and are slow.
	Proxies []*redistest.Proxy
	// Rates are those of the proxies.
	Rates redistest.Rates
	// Faults break something and repair it before they return. One after the other is called, again and again, in random
	// order, with pauses of random length between them.
	Faults []func()
	// Pause is the longest time between two faults.
	Pause time.Duration

	stop    chan struct{}
	running sync.WaitGroup
	faults  int
}

// NewStage gives the stage of most histories: a server that is killed now and then and keeps all that it has acknowledged,
// and forgets its scripts, and three clients, each by a proxy of its own.
func NewStage(t *testing.T) *Stage {
	server := redistest.Start(t, redistest.AppendOnly)
	s := &Stage{
		Calm:  clientOf(t, server.URL()),
		Rates: redistest.Rates{LoseRequest: 0.01, LoseReply: 0.02, Delay: 0.1, MaxDelay: 5 * time.Millisecond},
		Pause: 200 * time.Millisecond,
	}
	for range 3 {
		proxy := redistest.StartProxy(t, server.Addr())
		s.Proxies = append(s.Proxies, proxy)
		s.Clients = append(s.Clients, clientOf(t, proxy.URL()))
	}
	flush := func() {
		if err := server.Redis().ScriptFlush(t.Context()).Err(); err != nil {
			t.Error(err)
		}
	}
	cut := func() { s.Proxies[rand.IntN(len(s.Proxies))].Cut() }
	s.Faults = []func(){server.Restart, flush, flush, cut, cut}
	return s
}

func clientOf(t *testing.T, url string) *redisx.Client {
	t.Helper()
	rdb, err := redisx.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// begin lets things break, until end.
func (s *Stage) begin(seed uint64) {
	for i, p := range s.Proxies {
		p.Faults(seed+uint64(i), s.Rates)
	}
	s.stop = make(chan struct{})
	s.running.Go(func() {
		rng := rand.New(rand.NewPCG(seed, 0))
		var left []int
		for len(s.Faults) > 0 {
			if len(left) == 0 {
				left = rng.Perm(len(s.Faults))
			}
			select {
			case <-s.stop:
				return
			case <-time.After(time.Duration(rng.Int64N(int64(s.Pause)))):
			}
			s.Faults[left[0]]()
			s.faults++
			left = slices.Delete(left, 0, 1)
		}
	})
}

func (s *Stage) end() {
	close(s.stop)
	s.running.Wait()
	for _, p := range s.Proxies {
		p.Calm()
	}
}

// Seen tells how often something broke so far.
func (s *Stage) Seen() string {
	var all redistest.Counts
	for _, p := range s.Proxies {
		c := p.Counts()
		all.LostRequests += c.LostRequests
		all.LostReplies += c.LostReplies
		all.Delays += c.Delays
	}
	return fmt.Sprintf("so far %+v and %d other faults", all, s.faults)
}
