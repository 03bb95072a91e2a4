package python_test

import (
	"syscall"
	"testing"

	"github.com/netspaces/netspaces/redisx/redistest"
)

// What a killed process waited for goes to the next (V10): at once, or when what was handed to it already goes back.
func TestKilled(t *testing.T) {
	for name, handed := range map[string]bool{"waiting": false, "when its value was on its way": true} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.py.start("fetch", "v")
			s.waiting("v", 1, 0)
			next := s.start(s.ws.Fetch, "v")
			s.waiting("v", 2, 0)
			if handed {
				s.must(s.py.cmd.Process.Signal(syscall.SIGSTOP)) // it is told, and cannot come
				s.must(s.ws.Store(s.ctx, "v", 1))
				if n, err := s.server.Redis().HLen(s.ctx, "nws:{shared}/by both:handed:v").Result(); n != 1 || err != nil {
					t.Errorf("handed to %d, %v; want 1", n, err)
				}
			}
			s.py.kill()
			if !handed {
				s.must(s.ws.Store(s.ctx, "v", 1))
			}
			s.equal("the next has", s.wantValue(next), "1")
			s.wantEmpty("v")
		})
	}
}

// A request is done once, also if its reply is lost and it has to be sent again.
func TestLostReplies(t *testing.T) {
	s := newSite(t)
	proxy := redistest.StartProxy(t, s.server.Addr())
	py := startPeer(t, proxy.URL(), space)
	py.do("store", "known scripts", 0) // else the reply that is lost is that Redis has no such script
	py.do("fetch", "known scripts")
	lost := proxy.LoseReply([]byte("stored once"))
	py.do("store", "v", "stored once")
	<-lost
	s.equal("what was stored", py.do("ifind_try", "v"), `["stored once"]`)

	s.must(s.ws.StoreAll(s.ctx, "taken once", 1, 2))
	lost = proxy.LoseReply([]byte("taken once"))
	s.equal("what was fetched", py.do("fetch", "taken once"), "1")
	<-lost
	s.equal("what is left", s.wantValue(s.start(s.ws.Fetch, "taken once")), "2")
	s.wantEmpty("taken once")

	// Where the subscription breaks, what was published meanwhile is made up for.
	fetcher := py.start("fetch", "w")
	s.waiting("w", 1, 0)
	proxy.Refuse()
	proxy.Cut()
	s.must(s.ws.Store(s.ctx, "w", 3))
	proxy.Allow()
	s.equal("what came while it was away", py.wantValue(fetcher), "3")
}

// What the messages do not tell, the beat does: values that are put in by hand, and messages that were lost.
func TestBeat(t *testing.T) {
	s := newSite(t)
	proxy := redistest.StartProxy(t, s.server.Addr())
	py := startPeer(t, proxy.URL(), space)
	byHand := py.start("find", "by hand")
	s.waiting("by hand", 0, 1)
	s.must(s.server.Redis().RPush(s.ctx, "nws:{shared}/by both:values:by hand", `"here"`).Err())
	s.equal("put in by hand", py.wantValue(byHand), `"here"`)

	stored, deleted := py.start("fetch", "stored"), py.start("fetch", "deleted")
	s.waiting("stored", 1, 0)
	s.waiting("deleted", 1, 0)
	proxy.Deafen()
	s.must(s.ws.Store(s.ctx, "stored", 1))
	s.must(s.ws.DeleteVar(s.ctx, "deleted"))
	s.must(s.ws.Store(s.ctx, "deleted", "of another variable"))
	s.equal("stored unheard", py.wantValue(stored), "1")
	py.wantError(deleted, "VariableDeleted")
}
