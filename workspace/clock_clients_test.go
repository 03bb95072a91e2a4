package workspace_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// known says whether Redis knows a client.
func (b *bubble) known(ws *workspace.Workspace) bool {
	return b.server.redis.Exists(b.key("client", ws.Client()))
}

// A client that is silent for more than ten minutes is forgotten. When it comes back it introduces itself again, and
// nothing is lost.
func TestClockSilentClientIsForgotten(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		b.store(ws, "v", 1) // it beats at 60 s, 120 s and so on
		silent, machine := b.user()
		held := b.claim(silent, "v", 2*time.Hour).claims(1, "1", 0)
		b.until(61 * s)
		machine.freeze() // its last sign of life is that of 60 s
		if b.until(719 * s); !b.known(silent) {
			b.Fatal("it is forgotten already")
		}
		if b.until(720 * s); b.known(silent) {
			b.Fatal("it is still known")
		}
		b.until(time.Hour)
		machine.thaw()
		b.until(time.Hour + 2*m)
		b.must(held.Renew(b.ctx, time.Hour))
		b.holds(silent, "v")
		if !b.known(silent) {
			b.Error("it has asked for something and is not known")
		}
		b.must(settleAll(b.ctx, held))
		b.store(silent, "v", 2, 3)
		b.holds(silent, "v", "2", "3")
	})
}

// Who introduces itself is told of those who are silent, too.
func TestClockNewcomerForgetsTheSilent(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.owner(nil)
		silent, machine := b.user()
		b.store(silent, "v", 1)
		machine.die()
		newcomer, _ := b.user()
		b.until(10*m + ms)
		b.holds(newcomer, "v", "1")
		if synctest.Wait(); b.known(silent) {
			b.Error("it is still known")
		}
	})
}

// A client that waits, or that lives and does nothing, is not forgotten.
func TestClockLivingClientsAreKnown(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		idle, _ := b.user()
		waiting, _ := b.user()
		b.store(ws, "v", 1)
		b.store(idle, "v", 2)
		b.fetch(waiting, "w")
		b.until(2 * time.Hour)
		for _, c := range []*workspace.Workspace{ws, idle, waiting} {
			if !b.known(c) {
				b.Error("it is forgotten")
			}
			if got := b.server.times(0, c.Client(), "hello"); len(got) != 1 {
				b.Errorf("it introduced itself at %v", got)
			}
		}
	})
}

// A request that is still on its way when it has been sent again by another connection is not done once more.
func TestClockLateDuplicates(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, machine := b.user()
		b.store(user, "v", 0)
		b.store(ws, "w", 0, 1, 2, 3)
		b.must(ws.Declare(b.ctx, "out", workspace.FIFO))

		// Each of these is sent, sent again after five seconds by a new connection, and arrives the first time after all.
		var releases []func()
		late := func(what string, f func(c *call) error) {
			b.Helper()
			releases = append(releases, machine.hold())
			before := b.now()
			c := b.begin(func(_ context.Context, c *call) { c.err = f(c) })
			c.waits()
			b.until(before + 6*s)
			c.ended(c.at)
			b.must(c.err)
			if c.at < before+5*s {
				b.Fatalf("%s was not held up: it ended after %v", what, c.at-before)
			}
		}
		var text []byte
		var held *workspace.Claim
		late("store", func(*call) error { return user.Store(b.ctx, "v", 1) })
		late("fetch", func(*call) error { return user.Fetch(b.ctx, "w", &text) })
		late("claim", func(*call) (err error) {
			held, err = user.Claim(b.ctx, "w", &workspace.ClaimOptions{Lease: time.Hour})
			return err
		})
		late("settle", func(*call) error {
			return held.Settle(b.ctx, workspace.Outcome{Index: held.Values[0].Index, Into: "out", Value: 7})
		})
		late("delete", func(*call) error {
			if err := user.DeleteVar(b.ctx, "gone"); !errors.Is(err, workspace.ErrNoVar) {
				return fmt.Errorf("it was there: %w", err)
			}
			return nil // it is made later
		})
		b.store(user, "gone", 9)
		b.store(user, "v", 2)

		ran := len(b.server.times(b.now(), user.Client(), "store"))
		for _, release := range releases {
			release()
		}
		synctest.Wait()
		if now := len(b.server.times(b.now(), user.Client(), "store")); now != ran+1 {
			b.Fatalf("%d late stores arrived, so that this proves nothing", now-ran)
		}
		for _, script := range []string{"fetch", "claim", "settle", "deletevar"} {
			if got := b.server.times(b.now(), user.Client(), script); len(got) != 1 {
				b.Fatalf("%d late runs of %s arrived, so that this proves nothing", len(got), script)
			}
		}
		b.holds(ws, "v", "0", "1", "2")
		b.holds(ws, "w", "2", "3")
		b.holds(ws, "out", "7")
		b.holds(ws, "gone", "9")
	})
}

// What was sent before a client was forgotten is not done afterwards, also when it has introduced itself anew.
func TestClockLateDuplicatesOfTheForgotten(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, machine := b.user()
		b.store(ws, "v", 0)
		// The very first: introduction and store.
		released := machine.hold()
		first := b.begin(func(_ context.Context, c *call) { c.err = user.Store(b.ctx, "v", 1) })
		b.until(6 * s)
		first.ended(first.at)
		b.must(first.err)
		releaseWarm := machine.hold()
		warm := b.begin(func(_ context.Context, c *call) { c.err = user.Store(b.ctx, "warm", 1) })
		b.store(user, "warm", 1) // makes the second connection
		b.until(12 * s)
		warm.ended(warm.at)
		releaseWarm()
		releasePair := machine.hold() // two lanes, one of which will not be used again
		pair := []*call{
			b.begin(func(_ context.Context, c *call) { c.err = user.Store(b.ctx, "pair", 1) }),
			b.begin(func(_ context.Context, c *call) { c.err = user.Store(b.ctx, "pair", 1) }),
		}
		b.until(18 * s)
		for _, c := range pair {
			c.ended(c.at)
			b.must(c.err)
		}
		releaseStore := machine.hold()
		second := b.begin(func(_ context.Context, c *call) { c.err = user.Store(b.ctx, "v", 2) })
		b.until(24 * s)
		second.ended(second.at)
		b.must(second.err)

		machine.freeze()
		if b.until(20 * m); b.known(user) {
			b.Fatal("it is still known")
		}
		releaseStore() // its machine is frozen as a whole yet
		machine.thaw()
		if synctest.Wait(); b.known(user) || len(b.server.times(20*m, user.Client(), "store")) != 1 {
			b.Fatal("the store did not come late, so that this proves nothing")
		}
		b.store(user, "v", 3) // it introduces itself anew
		hellos := len(b.server.times(0, user.Client(), "hello"))
		released()
		if synctest.Wait(); len(b.server.times(0, user.Client(), "hello")) != hellos+1 {
			b.Fatal("the introduction did not come late, so that this proves nothing")
		}
		stores := len(b.server.times(0, user.Client(), "store"))
		releasePair()
		if synctest.Wait(); len(b.server.times(0, user.Client(), "store")) == stores {
			// One of them may have gone by a connection that was made after the others were held.
			b.Fatal("no store came late, so that this proves nothing")
		}
		b.store(user, "v", 4)
		if got := len(b.server.times(0, user.Client(), "hello")); got != hellos+1 {
			b.Error("the late introduction undid the later one")
		}
		b.holds(ws, "v", "0", "1", "2", "3", "4")
		b.holds(ws, "pair", "1", "1")
	})
}

// What takes a large reply out of its lane does nothing if it comes late: not to the next request of the lane, and not to
// a workspace that has been deleted.
func TestClockLateReceived(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, _ := b.user()
		b.store(user, "v", strings.Repeat("x", 10000))
		var text []byte
		b.must(user.Fetch(b.ctx, "v", &text))
		synctest.Wait()
		var args []any
		for _, c := range b.server.calls {
			if c.script == "received" && c.client == user.Client() {
				args = []any{c.args[0], c.args[1]}
			}
		}
		if len(args) == 0 {
			b.Fatal("the reply was not taken out of its lane")
		}
		client := b.key("client", user.Client())
		if lane := b.server.redis.HGet(client, "1"); lane != "2 " {
			b.Fatalf("its lane holds %.20q", lane)
		}
		rdb, _ := b.client()
		again := func(want string) {
			b.Helper()
			script := redisx.NewScript("received", workspace.ScriptTexts()["received"])
			reply, err := rdb.Run(b.ctx, script, []string{b.key("ws"), b.key("vars"), b.key("live"), client}, args...)
			b.must(err)
			if got := fmt.Sprint(reply); got != want {
				b.Errorf("a late copy was told %s, want %s", got, want)
			}
		}
		b.store(user, "v", 1)
		again("[STALE]")
		if lane := b.server.redis.HGet(client, "1"); lane != "3 2:OK" {
			b.Errorf("then its lane holds %.20q", lane)
		}
		b.must(ws.Close())
		again("[GONE]")
		if b.server.redis.Exists(client) {
			b.Error("the client of a workspace that is gone is left")
		}
	})
}
