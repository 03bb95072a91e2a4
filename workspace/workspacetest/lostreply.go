package workspacetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

var lostTests = []test{
	{"LostReplyThenCancelledStore", lostReplyThenCancelledStore},
	{"LostReplyThenCancelledFetch", lostReplyThenCancelledFetch},
	{"LostReplyThenCancelledFetchOfALargeValue", lostReplyThenCancelledFetchOfALargeValue},
	{"LostReplyThenCancelledClaim", lostReplyThenCancelledClaim},
	{"LostReplyThenCancelledMadeClaims", lostReplyThenCancelledMadeClaims},
	{"LostReplyThenForgottenStore", lostReplyThenForgottenStore},
	{"LostReplyThenUnreachableFetch", lostReplyThenUnreachableFetch},
	{"LostReplyThenUnreachableStore", lostReplyThenUnreachableStore},
	{"LostReplyThenCancelledFetchN", lostReplyThenCancelledFetchN},
	{"CutWhileWaiting", cutWhileWaiting},
	{"RetryEndsStoreNotSent", retryEndsStoreNotSent},
	{"RetryEndsStoreUnknown", retryEndsStoreUnknown},
	{"RetryEndsFetchUnknown", retryEndsFetchUnknown},
}

// cancelled runs a call whose reply or request is lost and whose context ends in that moment, in which Redis also becomes
// unreachable if cut is set.
func (s *site) cancelled(p *proxy, what fate, cut bool, call func(ctx context.Context) error) error {
	s.Helper()
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	s.Cleanup(p.allow)
	t := p.catch(what, "values:lossy", func() {
		cancel()
		if cut {
			p.unreachable()
		}
	})
	err := call(ctx)
	<-t.happened
	return err
}

// comesBack waits until the value that was taken is there again, and with it so many.
func (s *site) comesBack(ws *workspace.Workspace, values int) {
	s.Helper()
	s.eventually(func() bool { return s.info(ws, "lossy").Values == values }, func() string {
		return "the value does not come back"
	})
}

func isUnknown(err error) bool {
	_, unknown := errors.AsType[*redisx.UnknownError](err)
	return unknown
}

func lostReplyThenCancelledStore(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	far := s.use(rdb)
	for i, what := range []fate{replyLost, requestLost} {
		err := s.cancelled(proxy, what, false, func(ctx context.Context) error { return far.Store(ctx, "lossy", i) })
		switch {
		case err == nil:
			s.holds(ws, "lossy", fmt.Sprint(i))
		case errors.Is(err, context.Canceled) && !isUnknown(err):
			s.holds(ws, "lossy")
		default:
			s.Fatalf("Store: %v; Redis answers, so that it can be known", err)
		}
	}
}

// Redis knows nothing more of a client that it has forgotten, not even that something was not done.
func lostReplyThenForgottenStore(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	far := s.use(rdb)
	s.Cleanup(proxy.allow)
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	t := proxy.catch(replyLost, "values:lossy", proxy.unreachable)
	store := s.start("store", func(_ context.Context, p *pending) { p.err = far.Store(ctx, "lossy", 1) })
	<-t.happened
	s.must(ws.EndClaims(s.ctx, "lossy", far.Client()))
	cancel()
	proxy.allow()
	store.end()
	if !isUnknown(store.err) {
		s.Errorf("Store: %v; want an UnknownError", store.err)
	}
	s.holds(ws, "lossy", "1")
}

func lostReplyThenCancelledFetch(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	far := s.use(rdb)
	for _, mode := range []workspace.Mode{workspace.FIFO, workspace.LIFO} {
		for _, what := range []fate{replyLost, requestLost} {
			name := fmt.Sprint("lossy", mode, what)
			s.declare(ws, name, mode)
			s.store(ws, name, 1, 2, 3)
			var got []byte
			err := s.cancelled(proxy, what, false, func(ctx context.Context) error { return far.Fetch(ctx, name, &got) })
			if isUnknown(err) || !errors.Is(err, context.Canceled) {
				s.Fatalf("%s, Fetch: %q, %v", name, got, err)
			}
			if mode == workspace.FIFO {
				s.holds(ws, name, "1", "2", "3")
			} else {
				s.holds(ws, name, "3", "2", "1")
			}
		}
	}
}

func lostReplyThenCancelledFetchOfALargeValue(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	far := s.use(rdb)
	large := string(block(1, 1<<20))
	s.store(ws, "lossy", []byte(large), 2)
	for range 2 {
		var got []byte
		err := s.cancelled(proxy, replyLost, false, func(ctx context.Context) error { return far.Fetch(ctx, "lossy", &got) })
		if isUnknown(err) || !errors.Is(err, context.Canceled) {
			s.Fatalf("Fetch: %.20q, %v", got, err)
		}
	}
	s.holds(ws, "lossy", large, "2")
	for lane, reply := range s.lanes(far) {
		if len(reply) > 1000 {
			s.Errorf("lane %s keeps %d bytes", lane, len(reply))
		}
	}
}

func lostReplyThenCancelledFetchN(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	far := workspace.NewVar[int](s.use(rdb), "lossy")
	s.store(ws, "lossy", 1, 2, 3)
	for what, call := range map[string]func(ctx context.Context) error{
		"FetchN": func(ctx context.Context) error {
			_, err := far.FetchN(ctx, 2)
			return err
		},
		"IFetch": func(ctx context.Context) error {
			for _, err := range far.IFetch().All(ctx) {
				return err
			}
			return nil
		},
	} {
		err := s.cancelled(proxy, replyLost, false, call)
		if isUnknown(err) || !errors.Is(err, context.Canceled) {
			s.Errorf("%s: %v, want the end of the context", what, err)
		}
		if n := s.info(ws, "lossy").Values; n != 3 {
			s.Errorf("%d values are left after %s, want 3", n, what)
		}
	}
	s.holds(ws, "lossy", "1", "2", "3")
}

// All connections break while callers wait, or at the moment in which they begin to. They go on waiting.
func cutWhileWaiting(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	far := s.use(rdb)
	for i := range 5 {
		if i%2 == 1 {
			proxy.catch([]fate{replyLost, requestLost}[i/2], "values:v", nil)
		}
		waiters := []*pending{s.fetch(far, "v"), s.find(far, "v"), s.claims(far, "c", nil)}
		s.waiting(ws, "v", 1, 1)
		s.waiting(ws, "c", 1, 0)
		proxy.quiet()
		proxy.cut()
		s.store(ws, "v", i)
		s.store(ws, "c", i)
		for _, w := range waiters[:2] {
			w.gets(fmt.Sprint(i))
		}
		waiters[2].end()
		s.must(waiters[2].err)
		s.wantClaim(waiters[2].claim, 1, fmt.Sprint(i))
		s.holds(ws, "v")
	}
}

func lostReplyThenCancelledClaim(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	far := s.use(rdb)
	s.store(ws, "lossy", 1, 2, 3)
	err := s.cancelled(proxy, replyLost, false, func(ctx context.Context) error {
		_, err := far.Claim(ctx, "lossy", &workspace.ClaimOptions{Max: 2, Lease: time.Hour})
		return err
	})
	s.wantErr(err, context.Canceled)
	if n := s.info(ws, "lossy").Claimed; n != 0 {
		s.Errorf("%d values stay claimed", n)
	}
	s.holds(ws, "lossy", "1", "2", "3")
}

func lostReplyThenUnreachableFetch(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	far := s.use(rdb)
	s.store(ws, "lossy", 1, 2, 3)
	var got []byte
	err := s.cancelled(proxy, replyLost, true, func(ctx context.Context) error { return far.Fetch(ctx, "lossy", &got) })
	s.wantErr(err, context.Canceled)
	proxy.allow()
	s.comesBack(ws, 3)
	s.holds(ws, "lossy", "1", "2", "3")
}

func lostReplyThenUnreachableStore(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	far := s.use(rdb)
	s.store(far, "lossy", 0)
	err := s.cancelled(proxy, replyLost, true, func(ctx context.Context) error { return far.Store(ctx, "lossy", 1) })
	if !isUnknown(err) || !errors.Is(err, context.Canceled) {
		s.Errorf("Store: %v; want an UnknownError that wraps the end of the context", err)
	}
	proxy.allow()
	s.store(far, "lossy", 2)
	s.holds(ws, "lossy", "0", "1", "2")
}
