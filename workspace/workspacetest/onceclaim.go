package workspacetest

import (
	"time"

	"github.com/netspaces/netspaces/workspace"
)

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
