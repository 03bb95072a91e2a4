package workspace_test

import (
	"context"
	"testing"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// A waiter that was told and does not come has a second and a half; then the next gets the value.
func TestClockGraceOfTheTold(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		gone, machine := b.user()
		user, _ := b.user()
		b.fetch(gone, "v") // it gives signs of life at 0 s and 2 s, and counts as alive until 8 s
		b.until(s)
		next := b.fetch(user, "v") // it beats at 3 s, 5 s and so on
		b.until(3900 * ms)
		machine.freeze()
		b.until(7 * s)
		b.store(ws, "v", 1)
		b.until(8500*ms - ms)
		b.holds(ws, "v") // whoever looks brings everything up to date
		next.waits()
		b.until(8500 * ms)
		b.holds(ws, "v")
		next.gets("1", 8500*ms)
	})
}

// Where nobody looks, the next one's beat brings it the value.
func TestClockGraceEndsWithTheBeat(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		gone, machine := b.user()
		user, _ := b.user()
		b.fetch(gone, "v")
		b.until(s)
		next := b.fetch(user, "v")
		b.until(3900 * ms)
		machine.freeze()
		b.until(7 * s)
		b.store(ws, "v", 1)
		b.until(time.Minute)
		next.gets("1", 9*s)
	})
}

// A waiter that was told and does not come keeps its place as long as its client lives: it may have been held up.
func TestClockLateButAliveKeepsItsPlace(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		late, machine := b.user()
		user, _ := b.user()
		first := b.fetch(late, "v") // its last sign of life is that of 4 s
		b.until(s)
		next := b.fetch(user, "v")
		b.until(5 * s)
		machine.freeze()
		b.store(ws, "v", 1)
		b.until(9500 * ms)
		machine.thaw()
		b.until(time.Minute)
		next.waits()
		if first.value != "1" {
			b.Errorf("the first in line got %q, %v", first.value, first.err)
		}
	})
}

// Where PUBLISH is refused, only its beat tells a waiter, so that it has five seconds.
func TestClockGraceOfTheUntold(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		gone, machine := b.user()
		b.server.refuse("PUBLISH")
		b.fetch(gone, "v") // its last sign of life is that of 2 s
		b.until(3900 * ms)
		machine.freeze()
		b.until(4500 * ms)
		b.store(ws, "v", 1)
		b.until(9500*ms - ms)
		b.holds(ws, "v")
		b.until(9500 * ms)
		b.holds(ws, "v", "1")
	})
}

func TestClockUntoldIsToldByItsBeat(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, _ := b.user()
		b.server.refuse("PUBLISH")
		b.until(s)
		fetcher, finder, claimer := b.fetch(user, "f"), b.find(user, "f"), b.claim(user, "c", s)
		b.until(10*s + 100*ms)
		b.store(ws, "f", 1)
		b.store(ws, "c", 2)
		b.until(11 * s)
		fetcher.gets("1", 11*s)
		finder.gets("1", 11*s)
		claimer.claims(1, "2", 11*s)
	})
}

// V10: after six seconds without a sign of life a client counts as dead, and its waiters are passed over.
func TestClockSilentClientIsPassedOver(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		gone, machine := b.user()
		user, _ := b.user()
		for range 2 {
			b.fetch(gone, "v") // its last sign of life is that of 2 s
		}
		b.until(s)
		first, second := b.fetch(user, "v"), b.fetch(user, "v")
		b.until(3900 * ms)
		machine.freeze()
		b.until(8*s - ms)
		b.store(ws, "v", 1)
		first.waits()
		b.until(8 * s)
		b.store(ws, "v", 2)
		first.gets("2", 8*s)
		second.waits()
		b.until(9499*ms - ms)
		b.holds(ws, "v")
		second.waits()
		b.until(9499 * ms) // the grace of the dead one ends
		b.holds(ws, "v")
		second.gets("1", 9499*ms)
	})
}

// V10: where the connection broke, Redis knows at once.
func TestClockBrokenClientIsPassedOver(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		gone, machine := b.user()
		user, _ := b.user()
		b.fetch(gone, "v")
		next := b.fetch(user, "v")
		b.until(s)
		machine.die()
		b.until(s + ms)
		b.store(ws, "v", 1)
		next.gets("1", s+ms)
	})
}

// A client beats every two seconds while somebody waits in it, and else once a minute.
func TestClockBeat(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, _ := b.user()
		b.until(s)
		b.store(user, "v", 1)
		b.until(200 * s)
		b.wantTimes("it beats", b.server.times(0, user.Client(), "beat"), 61*s, 121*s, 181*s)
		waiter := b.fetch(user, "w")
		b.until(206 * s)
		waiter.cancel()
		b.until(300 * s)
		b.wantTimes("it beats", b.server.times(200*s, user.Client(), "beat"), 201*s, 203*s, 205*s, 265*s)
		if got := b.sign(user); got != 265*s {
			b.Errorf("it gave its last sign of life at %v", got)
		}
		if got := b.server.times(0, ws.Client(), "beat"); len(got) > 0 {
			b.Errorf("who has asked for nothing beats at %v", got)
		}
	})
}

// A value put in by hand is found with the next beat, of whoever waits.
func TestClockByHand(t *testing.T) {
	inBubble(t, func(b *bubble) {
		user, _ := b.owner(nil)
		b.must(user.Declare(b.ctx, "declared", workspace.LIFO))
		b.until(s)
		waiters := []*call{
			b.fetch(user, "declared"), b.find(user, "declared"), b.fetch(user, "unknown"), b.find(user, "unknown"),
			b.begin(func(ctx context.Context, c *call) {
				for value, err := range workspace.NewVar[int](user, "iterated").IFind().All(ctx) {
					c.value, c.err = string(rune('0'+value)), err
					return
				}
			})}
		b.until(20*s + 1) // just after a beat
		for _, name := range []string{"declared", "unknown", "iterated"} {
			_, err := b.server.redis.Push(b.key("values", name), "1")
			b.must(err)
		}
		b.until(22*s - ms)
		for _, w := range waiters {
			w.waits()
		}
		b.until(22 * s)
		for _, w := range waiters {
			w.gets("1", 22*s)
		}
	})
}

// Where SUBSCRIBE is refused, or the subscription is lost, the beat alone does.
func TestClockNoSubscription(t *testing.T) {
	for name, subscribed := range map[string]bool{"never": false, "lost": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				ws, _ := b.owner(nil)
				user, machine := b.user()
				if !subscribed {
					b.server.refuse("SUBSCRIBE")
				}
				fetchers := []*call{b.fetch(user, "v"), b.fetch(user, "v")}
				finder, claimer := b.find(user, "v"), b.claim(user, "c", s)
				b.until(5 * s)
				if subscribed {
					b.server.refuse("SUBSCRIBE")
					machine.cut()
				}
				b.until(10*s + 100*ms)
				b.store(ws, "v", 1, 2)
				b.store(ws, "c", 3)
				b.until(12*s - ms)
				for _, w := range append(fetchers, finder, claimer) {
					w.waits()
				}
				b.until(12 * s)
				for _, w := range append(fetchers, finder, claimer) {
					w.ended(12 * s)
					b.must(w.err)
				}
				if got := fetchers[0].value + fetchers[1].value; got != "12" && got != "21" {
					b.Errorf("the fetchers got %q", got)
				}
				claimer.claims(1, "3", 12*s)
				b.holds(ws, "v")

				b.server.allow("SUBSCRIBE") // asked for again every five seconds
				b.until(17 * s)
				later := b.fetch(user, "v")
				b.until(18*s + 100*ms)
				b.store(ws, "v", 4)
				later.gets("4", 18*s+100*ms)
			})
		})
	}
}

// The first waiter of a handle is registered after a second, if it cannot be told until then.
func TestClockFirstWaiterHearsNothing(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, _ := b.user()
		b.server.refuse("SUBSCRIBE")
		b.fetch(user, "v")
		for _, c := range []struct {
			at time.Duration
			n  int
		}{{0, 0}, {s - ms, 0}, {s, 1}} {
			b.until(c.at)
			infos, err := ws.ListVars(b.ctx)
			b.must(err)
			if len(infos) != 1 || infos[0].Fetchers != c.n {
				b.Errorf("at %v: %+v", c.at, infos)
			}
		}
	})
}

// The messages get lost, and nobody knows.
func TestClockDeaf(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, machine := b.user()
		fetcher, finder := b.fetch(user, "v"), b.find(user, "v")
		b.until(2*s + 100*ms)
		machine.deafen()
		b.store(ws, "v", 1)
		b.until(4*s - ms)
		fetcher.waits()
		finder.waits()
		b.until(4 * s)
		fetcher.gets("1", 4*s)
		finder.gets("1", 4*s)
	})
}

// A find is kept for a finder as long as its client lives, however late it comes; after that it is dropped.
func TestClockFinderIsLate(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		late, machine := b.user()
		finder := b.find(late, "v") // its last sign of life is that of 4 s
		b.until(5 * s)
		machine.freeze()
		b.store(ws, "v", 1)
		b.holds(ws, "v", "1")
		b.until(9 * s)
		machine.thaw()
		b.until(20 * s)
		finder.ended(finder.at)
		b.must(finder.err)
		if finder.value != "1" || finder.at < 9*s || finder.at > 12*s {
			b.Errorf("it got %q at %v", finder.value, finder.at)
		}

		b.find(late, "v")
		b.until(21 * s)
		machine.freeze()
		b.store(ws, "v", 2)
		b.holds(ws, "v", "2")
		b.until(40 * s)
		b.holds(ws, "v")
		for _, kind := range []string{"handed", "waiters"} {
			if b.server.redis.Exists(b.key(kind, "v")) {
				b.Errorf("of a dead finder %s are left", kind)
			}
		}
	})
}

// So it is also while others look: what was kept for a finder is not given back while its client lives.
func TestClockKeptForALivingFinder(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, machine := b.user()
		finder := b.find(user, "v") // it beats at 2 s, 4 s and so on
		b.until(20*s + 100*ms)
		machine.deafen()
		b.store(ws, "v", 1)
		b.holds(ws, "v", "1")
		b.server.jump(6 * s)
		b.fetch(user, "w") // a sign of life
		b.store(ws, "v", 2)
		b.holds(ws, "v", "2")
		finder.waits()
		b.until(22 * s)
		finder.gets("1", 22*s)
	})
}
