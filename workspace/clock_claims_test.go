package workspace_test

import (
	"context"
	"testing"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// claims checks a claim that has been made, and when.
func (c *call) claims(attempt int, value string, at time.Duration) *workspace.Claim {
	c.b.Helper()
	c.ended(at)
	c.b.must(c.err)
	if c.claim.Attempt != attempt || len(c.claim.Values) != 1 || string(c.claim.Values[0].Text) != value {
		c.b.Fatalf("attempt %d of %v, want attempt %d of %q", c.claim.Attempt, c.claim.Values, attempt, value)
	}
	return c.claim
}

func settleAll(ctx context.Context, c *workspace.Claim) error {
	var outcomes []workspace.Outcome
	for _, value := range c.Values {
		outcomes = append(outcomes, workspace.Outcome{Index: value.Index})
	}
	return c.Settle(ctx, outcomes...)
}

// Who asks in the moment in which a lease ends gets the claim, and who asks before waits.
func TestClockClaimEndsToTheMillisecond(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, _ := b.user()
		b.store(ws, "v", 1)
		at, lease := time.Duration(0), 10*s
		for attempt := 1; attempt <= 4; attempt++ {
			b.claim(user, "v", lease).claims(attempt, "1", at)
			b.until(at + lease - ms)
			early := b.claim(user, "v", time.Hour)
			early.waits()
			early.cancel()
			b.until(at + lease)
			at, lease = at+lease, 2*lease
		}
	})
}

// A claim whose reply was lost, and whose values others have taken before it is asked for again, is none: the call goes on.
func TestClockClaimLostBeforeItWasHeardOf(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, machine := b.user()
		b.store(user, "v", 1)
		b.claim(user, "none", s).cancel() // after it, Redis has the script
		before := len(b.server.times(0, user.Client(), "claim"))
		machine.muffle()
		claiming := b.claim(user, "v", s)
		claiming.waits()
		b.until(2 * s)
		if len(b.server.times(0, user.Client(), "claim")) != before+1 {
			b.Fatal("the claim was not done, so that this proves nothing")
		}
		b.holds(ws, "v", "1")
		machine.loseReplies()
		b.until(4 * s)
		claiming.waits()
		b.store(ws, "v", 2)
		b.until(6 * s)
		claiming.claims(1, "2", claiming.at)
	})
}

// Who waits already is told with the next beat, its own or another's.
func TestClockClaimEndWakesWithTheBeat(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, _ := b.user()
		b.store(ws, "v", 1, 2)
		b.claim(ws, "v", 9500*ms).claims(1, "1", 0)
		b.claim(ws, "v", 9700*ms).claims(1, "2", 0)
		b.until(500 * ms)
		first, second := b.claim(user, "v", time.Hour), b.fetch(user, "v") // beats at 2.5 s, 4.5 s and so on
		b.until(10*s + 499*ms)
		first.waits()
		second.waits()
		b.until(11 * s)
		first.ended(10*s + 500*ms)
		second.ended(10*s + 500*ms)
		b.must(first.err)
		b.must(second.err)
		if got := string(first.claim.Values[0].Text) + second.value; got != "12" && got != "21" {
			b.Errorf("they got %q", got)
		}
	})
}

func TestClockClaimRenew(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, _ := b.user()
		b.store(ws, "v", 1)
		held := b.claim(ws, "v", 10*s).claims(1, "1", 0)
		b.until(9 * s)
		b.must(held.Renew(b.ctx, 20*s)) // counted from now
		b.until(29*s - ms)
		b.holds(user, "v")
		b.until(29 * s)
		b.must(held.Renew(b.ctx, s)) // it has ended, and nobody has taken it
		b.holds(user, "v")
		b.until(30 * s)
		b.claim(user, "v", s).claims(2, "1", 30*s)
		b.wantErr(held.Renew(b.ctx, s), workspace.ErrClaimLost)
		b.until(31 * s)
		b.wantErr(held.Renew(b.ctx, s), workspace.ErrClaimLost)
		b.holds(ws, "v", "1")
	})
}

// A value can be settled after the lease for as long as nobody else has it in hand or has settled it.
func TestClockClaimSettledLate(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, _ := b.user()
		b.must(ws.Declare(b.ctx, "out", workspace.FIFO))
		b.store(ws, "v", 1, 2)
		first, second := b.claim(ws, "v", s).claims(1, "1", 0), b.claim(ws, "v", s).claims(1, "2", 0)
		b.until(time.Hour)
		b.must(first.Settle(b.ctx, workspace.Outcome{Index: 1, Into: "out", Value: "late"}))
		next := b.claim(user, "v", s).claims(2, "2", time.Hour)
		b.must(second.Settle(b.ctx, workspace.Outcome{Index: 1, Into: "out", Value: "later"}))
		b.wantErr(next.Settle(b.ctx, workspace.Outcome{Index: 1, Into: "out", Value: "lost"}), workspace.ErrClaimLost)
		b.holds(ws, "out", `"late"`, `"later"`)
	})
}

// The claims of one that is known to be dead end at once, and it can do nothing any more.
func TestClockEndClaims(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		dead, _ := b.user()
		user, _ := b.user()
		b.store(ws, "v", 1)
		b.until(s)
		held := b.claim(dead, "v", time.Hour).claims(1, "1", s)
		waits := b.fetch(dead, "w") // beats at 3 s, 5 s and so on
		b.until(2 * s)
		next := b.claim(user, "v", time.Hour)
		b.until(7300 * ms)
		b.must(ws.EndClaims(b.ctx, "v", dead.Client()))
		next.claims(2, "1", 7300*ms)
		b.claim(dead, "v", time.Hour).fails(workspace.ErrBuried, 7300*ms)
		b.fetch(dead, "v").fails(workspace.ErrBuried, 7300*ms)
		b.wantErr(held.Renew(b.ctx, time.Hour), workspace.ErrClaimLost)
		b.until(10 * s)
		waits.fails(workspace.ErrBuried, 9*s)
	})
}

// What comes late from one that was declared dead does not take its claim up again.
func TestClockEndClaimsBeforeARenewal(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		dead, _ := b.user()
		b.store(ws, "v", 1)
		held := b.claim(dead, "v", time.Hour).claims(1, "1", 0)
		b.until(s)
		b.must(ws.EndClaims(b.ctx, "v", dead.Client()))
		b.wantErr(held.Renew(b.ctx, time.Hour), workspace.ErrBuried)
		b.holds(ws, "v", "1")
	})
}

// What was on its way to one that is known to be dead goes to others at once.
func TestClockEndClaimsWhileWaiting(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		dead, machine := b.user()
		b.claim(dead, "v", time.Hour)
		b.until(s)
		machine.freeze()
		b.store(ws, "v", 1)
		b.holds(ws, "v") // it is on its way
		b.must(ws.EndClaims(b.ctx, "v", dead.Client()))
		b.holds(ws, "v", "1")
		machine.thaw()
	})
}
