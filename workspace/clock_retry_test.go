package workspace_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// userAtTen is ten seconds after the beginning, and gives somebody who has stored a value.
func (b *bubble) userAtTen() (*workspace.Workspace, *machine) {
	b.Helper()
	b.owner(nil)
	user, machine := b.user()
	b.store(user, "v", 1)
	b.until(10 * s)
	return user, machine
}

// unknown checks that a call says that it may have been done.
func (b *bubble) unknown(c *call) {
	b.Helper()
	if _, unknown := errors.AsType[*redisx.UnknownError](c.err); !unknown {
		b.Errorf("it may have been done, and the error is %v", c.err)
	}
}

// A call goes on trying for a minute, and then says what is known.
func TestClockRetryForAMinute(t *testing.T) {
	inBubble(t, func(b *bubble) {
		user, machine := b.userAtTen()
		machine.die()
		storing := b.begin(func(ctx context.Context, c *call) { c.err = user.Store(ctx, "v", 2) })
		b.until(2 * m)
		storing.ended(71 * s) // of which it asks for a second what became of what it sent before it knew
		b.unknown(storing)
		machine.mend()
		b.until(5 * m)
		b.holds(user, "v", "1")
	})
}

// The pauses grow from ten milliseconds to a second, each half as long to one and a half times as long.
func TestClockRetryPauses(t *testing.T) {
	inBubble(t, func(b *bubble) {
		rdb, machine := b.client()
		machine.die()
		before := len(machine.dials())
		using := b.begin(func(ctx context.Context, c *call) { _, c.err = workspace.Use(ctx, rdb, b.name, false) })
		b.until(2 * m)
		using.ended(m)
		if _, unknown := errors.AsType[*redisx.UnknownError](using.err); using.err == nil || unknown {
			b.Errorf("it has certainly not been done, and the error is %v", using.err)
		}
		tries := machine.dials()[before:]
		if first, last := tries[0], tries[len(tries)-1]; first != 0 || last != m {
			b.Errorf("it tried first at %v, and last at %v", first, last)
		}
		usual := 10 * ms
		for i := 1; i < len(tries)-1; i++ {
			if pause := tries[i] - tries[i-1]; pause < usual/2 || pause >= usual+usual/2 {
				b.Errorf("before try %d it paused for %v, and should for about %v", i, pause, usual)
			}
			usual = min(2*usual, s)
		}
	})
}

// A Redis that comes back within the minute costs a call nothing but time.
func TestClockRetrySucceeds(t *testing.T) {
	inBubble(t, func(b *bubble) {
		user, machine := b.userAtTen()
		machine.die()
		storing := b.begin(func(ctx context.Context, c *call) { c.err = user.Store(ctx, "v", 2) })
		b.until(68 * s)
		storing.waits()
		machine.mend()
		b.until(70 * s)
		storing.ended(storing.at)
		b.must(storing.err)
		if storing.at > 68*s+1500*ms {
			b.Errorf("it ended at %v", storing.at)
		}
		b.holds(user, "v", "1", "2")
	})
}

// The time is counted from the first failure, which a silent connection makes after five seconds.
func TestClockRetryOfAFrozenConnection(t *testing.T) {
	inBubble(t, func(b *bubble) {
		user, machine := b.userAtTen()
		machine.freeze()
		storing := b.begin(func(ctx context.Context, c *call) { c.err = user.Store(ctx, "v", 2) })
		b.until(75*s - ms)
		storing.waits()
		b.until(75*s + 2*5*s + s) // the last try, maybe after somebody else's, and the question what became of it
		storing.ended(storing.at)
		b.unknown(storing)
		// What was sent may arrive now, in any order; it is done once or not at all, and the next call works.
		machine.thaw()
		b.until(5 * m)
		b.store(user, "v", 3)
		values, err := b.server.redis.List(b.key("values", "v"))
		b.must(err)
		if n := len(values); n < 2 || n > 3 || values[n-1] != "3" {
			b.Errorf("there are %q", values)
		}
	})
}

// The end of its context ends a call at once where Redis answers, and within a second where it does not.
func TestClockContextEnds(t *testing.T) {
	for name, c := range map[string]struct {
		frozen bool
		at     time.Duration
	}{"answers": {false, 13 * s}, "silent": {true, 14 * s}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				user, machine := b.userAtTen()
				within := func(f func(ctx context.Context) error) *call {
					return b.begin(func(ctx context.Context, c *call) {
						ctx, cancel := context.WithTimeout(ctx, 3*s)
						defer cancel()
						c.err = f(ctx)
					})
				}
				var text []byte
				waiting := within(func(ctx context.Context) error { return user.Fetch(ctx, "w", &text) })
				b.until(10*s + ms)
				waiting.waits()
				if c.frozen {
					machine.freeze()
					storing := within(func(ctx context.Context) error { return user.Store(ctx, "v", 2) })
					b.until(20 * s)
					storing.fails(context.DeadlineExceeded, 14*s+ms)
				}
				b.until(20 * s)
				waiting.fails(context.DeadlineExceeded, c.at)
			})
		})
	}
}

// A suspended client whose request was done, and which was forgotten before it learnt that, must not do it again.
func TestClockForgottenBeforeTheReply(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, machine := b.user()
		b.store(user, "v", 1)
		b.until(s)
		machine.muffle() // the replies come no more
		storing := b.begin(func(_ context.Context, c *call) { c.err = user.Store(b.ctx, "v", 2) })
		storing.waits()
		b.until(2 * s)
		b.server.jump(20 * m) // its clock stood still
		b.store(ws, "w", 1)   // who comes now has it forgotten
		if synctest.Wait(); b.known(user) {
			b.Fatal("it is still known")
		}
		machine.loseReplies()
		b.until(m)
		storing.ended(storing.at)
		b.unknown(storing)
		b.holds(ws, "v", "1", "2")
	})
}
