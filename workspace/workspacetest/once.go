package workspacetest

import (
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
		{"Fetch", onceFetch}, {"FetchWaiting", onceFetchWaiting},
		{"FetchLarge", onceFetchLarge},
		{"TryFetch", onceTryFetch}, {"TryFetchEmpty", onceTryFetchEmpty}, {"FetchN", onceFetchN}, {"IFetch", onceIFetch},
		{"Find", onceFind}, {"FindWaiting", onceFindWaiting},
		{"FindBrought", onceFindBrought}, {"ClaimBrought", onceClaimBrought}, {"FindByHand", onceFindByHand}, {"IFind", onceIFind},
		{"Claim", onceClaim}, {"ClaimWaiting", onceClaimWaiting}, {"MadeClaims", onceMadeClaims},
		{"Settle", onceSettle}, {"SettleLost", onceSettleLost},
		{"Release", onceRelease}, {"Renew", onceRenew},
		{"Declare", onceDeclare}, {"DeclareRefused", onceDeclareRefused},
		{"DeleteVar", onceDeleteVar}, {"DeleteNoVar", onceDeleteNoVar},
		{"Open", onceOpen}, {"OpenTemporary", onceOpenTemporary}, {"Delete", onceDelete}, {"DeleteEmpty", onceDeleteEmpty},
		{"Close", onceClose}, {"Bye", onceBye},
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
