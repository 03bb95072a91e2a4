package workspacetest

import (
	"strings"
	"time"

	"github.com/netspaces/netspaces/redisx"
)

func retryEndsStoreNotSent(s *site) {
	ws := s.open()
	rdb, proxy := s.proxiedWith(redisx.Options{Retry: 300 * time.Millisecond})
	far := s.use(rdb)
	s.store(far, "lossy", 0)
	proxy.refuse()
	// A connection may look alive until something was sent on it. There are two.
	known := 0
	for i := range 3 {
		err := far.Store(s.ctx, "lossy", i+1)
		switch {
		case err == nil:
			s.Fatal("Store worked although Redis cannot be reached")
		case !isUnknown(err):
			known++
			if !strings.Contains(err.Error(), "certainly not been done") {
				s.Errorf("Store: %v; want an error that says what is known", err)
			}
		}
	}
	if known == 0 {
		s.Error("no Store without a connection knew that it was not done")
	}
	proxy.allow()
	s.holds(ws, "lossy", "0")
}

func retryEndsStoreUnknown(s *site) { retryEnds(s, true) }

func retryEndsFetchUnknown(s *site) { retryEnds(s, false) }

// retryEnds loses a reply, and lets nobody through until the time for trying is over. When Redis can be reached again, a
// value that was fetched comes back, and one that was stored is there once.
func retryEnds(s *site, storing bool) {
	ws := s.open()
	rdb, proxy := s.proxiedWith(redisx.Options{Retry: 300 * time.Millisecond})
	far := s.use(rdb)
	s.store(far, "lossy", 0, 1)
	s.Cleanup(proxy.allow)
	t := proxy.catch(replyLost, "values:lossy", proxy.unreachable)
	var err error
	if storing {
		err = far.Store(s.ctx, "lossy", 2)
	} else {
		var got []byte
		err = far.Fetch(s.ctx, "lossy", &got)
	}
	<-t.happened
	if !isUnknown(err) {
		s.Errorf("error %v, want an UnknownError", err)
	}
	proxy.allow()
	if storing {
		s.holds(ws, "lossy", "0", "1", "2")
		return
	}
	s.comesBack(ws, 2)
	s.holds(ws, "lossy", "0", "1")
}
