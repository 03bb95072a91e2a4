package workspacetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// once is one call that changes something, and whose connection breaks at it.
type once struct {
	*site
	ws    *workspace.Workspace // to look with; its connection is a good one
	rdb   *redisx.Client       // by way of the proxy
	proxy *proxy
	fault fault
	trap  *trap
}

// fault is what goes wrong.
type fault struct {
	name  string
	fate  fate
	flush bool // the server forgets all scripts at the same time
}

var faults = []fault{
	{name: "ReplyLost", fate: replyLost},
	{name: "ReplyLostAndScripts", fate: replyLost, flush: true},
	{name: "RequestLost", fate: requestLost},
	{name: "Delayed", fate: delayed}, // the first copy arrives after the second one was answered
}

// onceTests try each fault at each verb that changes something: it is done once, and the caller gets the right answer.
func onceTests() (tests []test) {
	for _, verb := range []struct {
		name string
		run  func(o *once)
	}{
		{"Store", onceStore}, {"StoreServes", onceStoreServes}, {"StoreAll", onceStoreAll},
		{"Fetch", onceFetch}, {"FetchWaiting", onceFetchWaiting}, {"TryFetch", onceTryFetch}, {"TryFetchEmpty", onceTryFetchEmpty},
		{"FetchN", onceFetchN}, {"IFetch", onceIFetch},
		{"Claim", onceClaim}, {"ClaimWaiting", onceClaimWaiting}, {"Settle", onceSettle}, {"SettleLost", onceSettleLost},
		{"Release", onceRelease}, {"Renew", onceRenew},
		{"Declare", onceDeclare}, {"DeclareRefused", onceDeclareRefused}, {"DeleteVar", onceDeleteVar}, {"DeleteNoVar", onceDeleteNoVar},
		{"Open", onceOpen}, {"OpenTemporary", onceOpenTemporary}, {"Delete", onceDelete}, {"DeleteEmpty", onceDeleteEmpty}, {"Close", onceClose}, {"Bye", onceBye},
	} {
		for _, fault := range faults {
			tests = append(tests, test{"Once" + verb.name + fault.name, func(s *site) {
				o := &once{site: s, fault: fault}
				o.rdb, o.proxy = s.proxied()
				verb.run(o)
			}})
		}
	}
	return tests
}

// far gives a handle whose connection will break.
func (o *once) far() *workspace.Workspace {
	o.Helper()
	o.ws = o.open()
	far := o.use(o.rdb)
	o.must(far.Store(o.ctx, "introduction", 0)) // what it needs to say once, it has said
	return far
}

// strike has the fault hit the next request with this in it.
func (o *once) strike(match string) {
	o.Helper()
	var then func()
	if o.fault.flush {
		then = func() {
			if err := o.flushScripts(); err != nil {
				o.Error(err)
			}
		}
	}
	o.trap = o.proxy.catch(o.fault.fate, match, then)
}

func (o *once) strikeLossy() { o.Helper(); o.strike("values:lossy") }

// struck checks that it did hit, and has a delayed request arrive.
func (o *once) struck() {
	o.Helper()
	select {
	case <-o.trap.happened:
	default:
		o.Fatal("the fault hit nothing")
	}
	if o.fault.fate == delayed {
		o.proxy.arrive(o.trap)
	}
}

func onceStore(o *once) {
	far := o.far()
	o.store(o.ws, "lossy", 0)
	o.strikeLossy()
	o.store(far, "lossy", 1)
	o.store(o.ws, "lossy", 2)
	o.struck()
	o.holds(o.ws, "lossy", "0", "1", "2")
}

// The value is gone from its place when the request comes a second time.
func onceStoreServes(o *once) {
	far := o.far()
	first, finder := o.fetch(o.ws, "lossy"), o.find(o.ws, "lossy")
	o.waiting(o.ws, "lossy", 1, 1)
	second := o.fetch(o.ws, "lossy")
	o.waiting(o.ws, "lossy", 2, 1)
	o.strikeLossy()
	o.store(far, "lossy", 1)
	first.gets("1")
	finder.gets("1")
	o.struck()
	o.waiting(o.ws, "lossy", 1, 0)
	o.store(o.ws, "lossy", 2)
	second.gets("2")
	o.holds(o.ws, "lossy")
}

func onceStoreAll(o *once) {
	far := o.far()
	o.strikeLossy()
	o.store(far, "lossy", 1, 2, 3)
	o.store(o.ws, "lossy", 4)
	o.struck()
	o.holds(o.ws, "lossy", "1", "2", "3", "4")
}

func onceFetch(o *once) {
	far := o.far()
	for _, mode := range []workspace.Mode{workspace.FIFO, workspace.LIFO} {
		name := "lossy" + string(mode)
		o.declare(o.ws, name, mode)
		o.store(o.ws, name, 1, 2, 3)
		o.strike("values:" + name)
		rest := []string{"2", "3"}
		if mode == workspace.FIFO {
			o.fetch(far, name).gets("1")
		} else {
			o.fetch(far, name).gets("3")
			rest = []string{"2", "1"}
		}
		o.struck()
		o.holds(o.ws, name, rest...)
	}
}

func onceFetchWaiting(o *once) {
	far := o.far()
	first := o.fetch(far, "lossy")
	o.waiting(o.ws, "lossy", 1, 0)
	second := o.fetch(o.ws, "lossy")
	o.waiting(o.ws, "lossy", 2, 0)
	o.proxy.quiet()
	o.strikeLossy()
	o.store(o.ws, "lossy", 1)
	first.gets("1")
	o.struck()
	o.waiting(o.ws, "lossy", 1, 0)
	o.store(o.ws, "lossy", 2, 3)
	second.gets("2")
	o.holds(o.ws, "lossy", "3")
}

func onceTryFetch(o *once) {
	far := o.far()
	o.store(o.ws, "lossy", 1, 2)
	o.strikeLossy()
	var got int
	if ok, err := far.TryFetch(o.ctx, "lossy", &got); !ok || err != nil || got != 1 {
		o.Errorf("TryFetch: %d, %v, %v; want 1", got, ok, err)
	}
	o.struck()
	o.holds(o.ws, "lossy", "2")
}

// What was not there when it was asked for is not taken later.
func onceTryFetchEmpty(o *once) {
	far := o.far()
	o.declare(o.ws, "lossy", workspace.FIFO)
	o.strikeLossy()
	var got int
	if ok, err := far.TryFetch(o.ctx, "lossy", &got); ok || err != nil {
		o.Errorf("TryFetch: %d, %v, %v; want none", got, ok, err)
	}
	o.store(o.ws, "lossy", 1)
	o.struck()
	o.holds(o.ws, "lossy", "1")
}

func onceFetchN(o *once) {
	far := o.far()
	o.store(o.ws, "lossy", numbers(5)...)
	o.strikeLossy()
	got, err := workspace.NewVar[int](far, "lossy").FetchN(o.ctx, 3)
	if err != nil || !slices.Equal(got, []int{0, 1, 2}) {
		o.Errorf("FetchN: %v, %v; want 0, 1, 2", got, err)
	}
	o.struck()
	o.holds(o.ws, "lossy", "3", "4")
}

func onceIFetch(o *once) {
	const values = 40
	far := o.far()
	o.store(o.ws, "lossy", numbers(values)...)
	o.strikeLossy()
	var got []int
	for value, err := range workspace.NewVar[int](far, "lossy").IFetch().Try(o.ctx) {
		o.must(err)
		if got = append(got, value); len(got) == values/2 {
			break // what was taken ahead goes back
		}
	}
	o.struck()
	var came tally
	for i, value := range got {
		if i != value {
			o.Errorf("value %d came as number %d", value, i)
		}
		came.add(fmt.Sprint(value))
	}
	left := o.drain(o.ws, "lossy")
	if len(left) == 0 || left[0] != fmt.Sprint(values/2) {
		o.Errorf("%q is left", left)
	}
	came.add(left...)
	came.once(o.site, values)
}

func onceClaim(o *once) {
	far := o.far()
	o.store(o.ws, "lossy", numbers(4)...)
	o.strikeLossy()
	o.wantClaim(o.claim(far, "lossy", &workspace.ClaimOptions{Max: 3}), 1, "0", "1", "2")
	o.struck()
	if n := o.info(o.ws, "lossy").Claimed; n != 3 {
		o.Errorf("%d values are claimed, want 3", n)
	}
	o.holds(o.ws, "lossy", "3")
}

func onceClaimWaiting(o *once) {
	far := o.far()
	waiter := o.claims(far, "lossy", &workspace.ClaimOptions{Lease: time.Hour})
	o.waiting(o.ws, "lossy", 1, 0)
	o.proxy.quiet()
	o.strikeLossy()
	o.store(o.ws, "lossy", 1, 2)
	waiter.end()
	o.must(waiter.err)
	o.wantClaim(waiter.claim, 1, "1")
	o.struck()
	if info := o.info(o.ws, "lossy"); info.Claimed != 1 || info.Fetchers != 0 {
		o.Errorf("%d values are claimed, %d wait; want 1, none", info.Claimed, info.Fetchers)
	}
	o.holds(o.ws, "lossy", "2")
}

func onceSettle(o *once) {
	far := o.far()
	o.declare(o.ws, "r", workspace.FIFO)
	o.store(o.ws, "lossy", numbers(3)...)
	claim := o.claim(far, "lossy", &workspace.ClaimOptions{Max: 2})
	o.strikeLossy()
	o.must(settleAll(o.ctx, claim, "r"))
	o.struck()
	o.holds(o.ws, "r", "0", "1")
	o.holds(o.ws, "lossy", "2")
	o.wantErr(settleAll(o.ctx, claim, "r"), workspace.ErrClaimLost)
}

func onceSettleLost(o *once) {
	far := o.far()
	o.declare(o.ws, "r", workspace.FIFO)
	o.store(o.ws, "lossy", 0)
	claim := o.claim(far, "lossy", nil)
	o.ended("lossy")
	newer := o.claim(o.ws, "lossy", nil)
	o.must(settleAll(o.ctx, newer, "r"))
	o.strikeLossy()
	o.wantErr(settleAll(o.ctx, claim, "r"), workspace.ErrClaimLost)
	o.struck()
	o.holds(o.ws, "r", "0")
}

func onceRelease(o *once) {
	far := o.far()
	o.store(o.ws, "lossy", numbers(4)...)
	claim := o.claim(far, "lossy", &workspace.ClaimOptions{Max: 2})
	o.strikeLossy()
	o.must(claim.Release(o.ctx, claim.Values[0].Index, claim.Values[1].Index))
	again := o.claim(far, "lossy", nil) // by the same client: the first copy must not release this one
	o.wantClaim(again, 1, "0", "1")
	o.struck()
	o.must(again.Renew(o.ctx, time.Hour))
	o.holds(o.ws, "lossy", "2", "3")
}

func onceRenew(o *once) {
	far := o.far()
	o.store(o.ws, "lossy", 0)
	claim := o.claim(far, "lossy", nil)
	o.ended("lossy")
	o.strikeLossy()
	o.must(claim.Renew(o.ctx, time.Hour))
	o.struck()
	o.holds(o.ws, "lossy")
	o.must(settleAll(o.ctx, claim, ""))
}

func onceDeclare(o *once) {
	far := o.far()
	o.strikeLossy()
	o.declare(far, "lossy", workspace.LIFO)
	o.must(o.ws.DeleteVar(o.ctx, "lossy"))
	o.struck()
	o.declare(o.ws, "lossy", workspace.Multi)
}

func onceDeclareRefused(o *once) {
	far := o.far()
	o.declare(o.ws, "lossy", workspace.FIFO)
	o.strikeLossy()
	o.wantErr(far.Declare(o.ctx, "lossy", workspace.LIFO), workspace.ErrDeclared)
	o.must(o.ws.DeleteVar(o.ctx, "lossy"))
	o.struck()
	if info := o.info(o.ws, "lossy"); info.Name != "" {
		o.Errorf("what was refused was done later: %+v", info)
	}
}

func onceDeleteVar(o *once) {
	far := o.far()
	o.store(o.ws, "lossy", 1)
	o.strikeLossy()
	o.must(far.DeleteVar(o.ctx, "lossy"))
	o.store(o.ws, "lossy", 2)
	o.struck()
	o.holds(o.ws, "lossy", "2")
}

func onceDeleteNoVar(o *once) {
	far := o.far()
	o.strikeLossy()
	o.wantErr(far.DeleteVar(o.ctx, "lossy"), workspace.ErrNoVar)
	o.store(o.ws, "lossy", 2)
	o.struck()
	o.holds(o.ws, "lossy", "2")
}

// The first copy of what opened a workspace does not bring it back after it was closed.
func onceOpen(o *once) {
	o.strike(o.key("live"))
	ws := o.openBy(o.rdb, nil)
	if !ws.Mine() {
		o.Error("nobody else has opened it, and it is not mine")
	}
	o.store(ws, "v", 1)
	o.must(ws.Close())
	o.noKeyLeft()
	o.struck()
}

func onceOpenTemporary(o *once) {
	o.strike("nws:{" + o.name() + "}/")
	ws, err := workspace.OpenTemporary(o.ctx, o.rdb, o.name()+"/%d", nil)
	o.must(err)
	if !ws.Mine() {
		o.Error("a temporary workspace is not its maker's")
	}
	infos, err := workspace.List(o.ctx, o.server.Client)
	o.must(err)
	mine := 0
	for _, info := range infos {
		if info.Name == ws.Name() && info.Mine {
			mine++
		}
	}
	if mine != 1 {
		o.Errorf("%d workspaces were made", mine)
	}
	o.struck()
	o.store(ws, "v", 1)
	o.must(ws.Close())
}

func onceDelete(o *once) {
	first := o.open()
	o.store(first, "v", 1)
	o.strike(o.key("live"))
	if err := workspace.Delete(o.ctx, o.rdb, o.name()); err != nil {
		o.Errorf("Delete: %v", err)
	}
	anew := o.openBy(o.client(), nil)
	o.store(anew, "v", 2)
	o.struck()
	o.holds(anew, "v", "2")
	o.wantErr(first.Store(o.ctx, "v", 3), workspace.ErrNoWorkspace)
}

// There is nothing in it, so that one script deletes all.
func onceDeleteEmpty(o *once) {
	o.open()
	o.strike(o.key("live"))
	if err := workspace.Delete(o.ctx, o.rdb, o.name()); err != nil {
		o.Errorf("Delete: %v", err)
	}
	anew := o.openBy(o.client(), nil)
	o.struck()
	o.store(anew, "v", 2)
	o.holds(anew, "v", "2")
}

func onceClose(o *once) {
	ws := o.openBy(o.rdb, nil)
	o.store(ws, "v", 1)
	o.strike(o.key("live"))
	o.must(ws.Close())
	anew := o.openBy(o.client(), nil)
	o.store(anew, "v", 2)
	o.struck()
	o.holds(anew, "v", "2")
}

// One who merely uses a workspace leaves nothing behind.
func onceBye(o *once) {
	far := o.far()
	o.strike(o.key("live"))
	o.must(far.Close())
	o.struck()
	o.unknownClient(far)
}

// unknownClient checks that Redis keeps nothing of a handle.
func (s *site) unknownClient(ws *workspace.Workspace) {
	s.Helper()
	if n, err := s.admin.Exists(s.ctx, s.key("client", ws.Client())).Result(); n != 0 || err != nil {
		s.Errorf("the client is still known: %v", err)
	}
	if seen, err := s.admin.ZScore(s.ctx, s.key("live"), ws.Client()).Result(); err == nil {
		s.Errorf("the client gave its last sign of life at %v", seen)
	}
}

var lostTests = []test{
	{"LostReplyThenCancelledStore", lostReplyThenCancelledStore},
	{"LostReplyThenCancelledFetch", lostReplyThenCancelledFetch},
	{"LostReplyThenCancelledClaim", lostReplyThenCancelledClaim},
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
	s.wantErr(s.cancelled(proxy, replyLost, true, func(ctx context.Context) error { return far.Fetch(ctx, "lossy", &got) }), context.Canceled)
	proxy.allow()
	s.eventually(func() bool { return s.info(ws, "lossy").Values == 3 }, func() string { return "the value does not come back" })
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
	s.eventually(func() bool { return s.info(ws, "lossy").Values == 2 }, func() string { return "the value does not come back" })
	s.holds(ws, "lossy", "0", "1")
}

// hammer runs f in so many goroutines at the same time.
func hammer(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}
