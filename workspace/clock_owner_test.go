package workspace_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

const (
	ms = time.Millisecond
	s  = time.Second
	m  = time.Minute
)

// other opens another workspace, as which anybody may clean up.
func (b *bubble) other(rdb *redisx.Client) {
	b.Helper()
	ws, err := workspace.Open(b.ctx, rdb, "other", nil)
	b.must(err)
	b.must(ws.Close())
}

func TestClockOwnerRenewsAtAThird(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(&workspace.Options{Lease: 15 * s})
		for _, at := range []time.Duration{0, 5 * s, 10 * s, 15 * s, 600 * s} {
			if b.until(at); b.lease() != at+15*s {
				b.Errorf("at %v the lease ends at %v", at, b.lease())
			}
		}
		if b.until(604 * s); b.lease() != 615*s {
			b.Errorf("between renewals the lease ends at %v", b.lease())
		}
		if got := b.server.times(0, ws.Client(), "renew"); len(got) != 120 {
			b.Errorf("in ten minutes it was renewed %d times", len(got))
		}
	})
}

// W3: whoever opens anything notices a lease that has ended, in that moment and not before.
func TestClockDeadOwnerIsNoticedByOpen(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, machine := b.owner(nil)
		b.store(ws, "v", 1)
		rdb, _ := b.client()
		b.until(14 * s)
		machine.die() // it renewed at 10 s, for 30 s
		b.until(40*s - ms)
		if b.other(rdb); !b.there() {
			b.Fatal("the workspace was deleted before the lease of its owner ended")
		}
		b.until(40 * s)
		if b.other(rdb); b.there() || b.server.redis.Exists(b.key("values", "v")) {
			b.Error("the workspace is still there when the lease of its owner has ended")
		}
	})
}

// W3: a handle that has asked for something notices by itself, when it sees the same for the second time.
func TestClockDeadOwnerIsNoticedByWaiter(t *testing.T) {
	inBubble(t, func(b *bubble) {
		_, machine := b.owner(nil)
		user, _ := b.user()
		b.until(5 * s)
		waiter := b.fetch(user, "v") // it looks at 25 s, 45 s, 65 s
		b.until(14 * s)
		machine.die()
		b.until(65*s - ms)
		waiter.waits()
		if !b.there() {
			b.Fatal("the workspace was deleted when its end was seen for the first time")
		}
		b.until(65 * s)
		waiter.fails(workspace.ErrNoWorkspace, 65*s)
		if keys := b.server.redis.Keys(); len(keys) > 0 {
			b.Errorf("these keys are left: %q", keys)
		}
	})
}

// W3: the owner of another workspace notices, too.
func TestClockDeadOwnerIsNoticedByOtherOwner(t *testing.T) {
	inBubble(t, func(b *bubble) {
		_, machine := b.owner(nil)
		b.until(5 * s)
		rdb, _ := b.client()
		_, err := workspace.Open(b.ctx, rdb, "other", nil)
		b.must(err)
		machine.die() // its lease ends at 30 s
		if b.until(65*s - ms); !b.there() {
			b.Fatal("the workspace was deleted when its end was seen for the first time")
		}
		if b.until(65 * s); b.there() {
			b.Error("the workspace is still there")
		}
	})
}

// W3: a handle that has asked for nothing is silent.
func TestClockIdleHandleDoesNotSweep(t *testing.T) {
	inBubble(t, func(b *bubble) {
		_, machine := b.owner(nil)
		user, _ := b.user()
		machine.die()
		if b.until(time.Hour); !b.there() {
			b.Fatal("somebody deleted it")
		}
		var text []byte
		if _, err := user.TryFetch(b.ctx, "v", &text); err != nil {
			b.Errorf("nobody has deleted it, and yet: %v", err)
		}
	})
}

// W1, W3: a persistent workspace outlives its owner, and the next to open it after the lease owns it.
func TestClockPersistentStays(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, machine := b.owner(&workspace.Options{Persistent: true})
		b.store(ws, "v", 1)
		b.until(14 * s)
		machine.die()
		rdb, _ := b.client()
		for _, c := range []struct {
			at   time.Duration
			mine bool
		}{{40*s - ms, false}, {40 * s, true}} {
			b.until(c.at)
			next, err := workspace.Open(b.ctx, rdb, b.name, nil)
			b.must(err)
			if next.Mine() != c.mine {
				b.Errorf("at %v it is mine: %v", c.at, next.Mine())
			}
		}
		b.until(time.Hour)
		b.other(rdb)
		user, _ := b.user()
		b.holds(user, "v", "1")
	})
}

// An owner that hangs is an owner as long as nobody has noticed the end of its lease, and none afterwards.
func TestClockFrozenOwner(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, machine := b.owner(nil)
		b.store(ws, "v", 1)
		rdb, _ := b.client()
		b.until(14 * s)
		machine.freeze()
		b.until(55 * s)
		if got := b.lease(); got != 40*s {
			b.Fatalf("the lease ends at %v", got)
		}
		machine.thaw() // what it sent meanwhile arrives now
		synctest.Wait()
		if got := b.lease(); got != 85*s {
			b.Errorf("the lease ends at %v", got)
		}
		b.other(rdb)
		b.holds(ws, "v", "1")

		b.until(65 * s)
		machine.freeze()
		b.until(200 * s)
		b.other(rdb)
		if b.there() {
			b.Fatal("the workspace is still there")
		}
		machine.thaw()
		if b.until(300 * s); b.there() {
			b.Error("the renewals of a dead owner have made something")
		}
		if names, _ := b.server.redis.ZMembers("nws:names"); len(names) > 0 {
			b.Errorf("listed are %q", names)
		}
		for range 2 {
			storing := b.begin(func(_ context.Context, c *call) { c.err = ws.Store(b.ctx, "v", 2) })
			storing.fails(workspace.ErrNoWorkspace, b.now())
		}
	})
}

// All programs were suspended, on one machine with their Redis or all together: by its clock all leases have ended, and
// nobody is dead.
func TestClockSuspension(t *testing.T) {
	for name, lease := range map[string]time.Duration{"short": 3 * s, "usual": 30 * s, "long": time.Hour} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				owner, _ := b.owner(&workspace.Options{Lease: lease})
				user, _ := b.user()
				b.store(owner, "v", 1)
				fetcher, finder := b.fetch(user, "f"), b.find(user, "f")
				b.until(5 * s)
				rdb, _ := b.client()
				other, err := workspace.Open(b.ctx, rdb, "other", &workspace.Options{Lease: lease})
				b.must(err)
				b.store(other, "v", 1)
				claim := b.claim(other, "v", time.Hour)
				claim.ended(5 * s)

				b.until(19*s + 500*ms) // in half a second somebody sweeps
				b.server.jump(2 * time.Hour)
				b.until(10 * m)
				fetcher.waits()
				finder.waits()
				b.store(owner, "f", 2)
				fetcher.gets("2", 10*m)
				finder.gets("2", 10*m)
				b.holds(owner, "v", "1")
				b.must(claim.claim.Settle(b.ctx, workspace.Outcome{Index: 1, Into: "v", Value: 3}))
				b.holds(other, "v", "3")
			})
		})
	}
}

// W3: whoever dies before it has made what it listed leaves nothing.
func TestClockMakerDiesBeforeItHasMade(t *testing.T) {
	inBubble(t, func(b *bubble) {
		rdb, machine := b.client()
		b.server.instead("open", machine.die)
		opening := b.begin(func(ctx context.Context, c *call) {
			_, c.err = workspace.Open(ctx, rdb, b.name, nil)
		})
		opening.cancel()
		synctest.Wait()
		listed := func() bool {
			names, _ := b.server.redis.ZMembers("nws:names")
			return slices.Contains(names, b.name)
		}
		survivor, _ := b.client()
		b.until(m - ms)
		if b.other(survivor); !listed() {
			b.Error("it might still have been made")
		}
		b.until(m)
		if b.other(survivor); listed() {
			b.Error("it is still listed")
		}
	})
}

// The list of workspaces may be behind, as after a failover. What counts is what stands in the workspace itself.
func TestClockListIsBehind(t *testing.T) {
	inBubble(t, func(b *bubble) {
		_, machine := b.owner(nil)
		rdb, _ := b.client()
		persistent, err := workspace.Open(b.ctx, rdb, "persistent", &workspace.Options{Persistent: true})
		b.must(err)
		machine.freeze() // the lease ends at 30 s
		for _, at := range []time.Duration{s, 30*s - ms} {
			b.until(at)
			for _, name := range []string{b.name, "persistent"} {
				_, err := b.server.redis.ZAdd("nws:names", 1, name)
				b.must(err)
			}
			b.other(rdb)
			score, err := b.server.redis.ZScore("nws:names", b.name)
			if b.must(err); !b.there() || b.moment(score) != 30*s {
				b.Errorf("at %v it is there: %v; listed is %v", at, b.there(), b.moment(score))
			}
			if score, err := b.server.redis.ZScore("nws:names", "persistent"); err != nil || !math.IsInf(score, 1) {
				b.Errorf("the persistent one is listed as %v, %v", score, err)
			}
		}
		b.store(persistent, "v", 1)
	})
}
