package workspace_test

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// While a client counts as dead, others pass its waiters over and forget them. It learns that with its next beat, also if
// something else came from it before.
func TestClockLapsedClientIsTold(t *testing.T) {
	for name, sign := range map[string]func(b *bubble, c *lapsed){
		"beat": func(*bubble, *lapsed) {},
		"wait": func(b *bubble, c *lapsed) { b.fetch(c.user, "nothing") },
		"wait in a declared one": func(b *bubble, c *lapsed) {
			b.must(c.other.Declare(b.ctx, "nothing", workspace.FIFO))
			b.fetch(c.user, "nothing")
		},
		"claim": func(b *bubble, c *lapsed) { b.claim(c.user, "work", m).claims(1, "1", 20*s+200*ms) },
		"beat whose reply is lost": func(b *bubble, c *lapsed) {
			b.until(22*s - ms)
			c.machine.muffle()
			b.until(22*s + ms)
			c.machine.loseReplies()
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				ws, _ := b.owner(nil)
				c := &lapsed{other: ws}
				c.user, c.machine = b.user()
				b.store(ws, "work", 1)
				fetcher, claimer := b.fetch(c.user, "f"), b.claim(c.user, "c", s) // beats at 2 s, 4 s and so on
				b.until(20*s + 100*ms)
				b.server.jump(6 * s) // it was suspended
				b.store(ws, "f", 1)
				b.store(ws, "c", 2)
				b.until(20*s + 200*ms)
				fetcher.waits()
				claimer.waits()
				sign(b, c)
				b.until(23 * s)
				fetcher.gets("1", max(fetcher.at, 22*s))
				claimer.claims(1, "2", max(claimer.at, 22*s))
			})
		})
	}
}

// A client that was suspended for so long that it is forgotten goes on, too.
func TestClockForgottenWaiters(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, _ := b.user()
		newcomer, _ := b.user()
		fetcher, claimer := b.fetch(user, "f"), b.claim(user, "c", s)
		finder, late := b.find(user, "found"), b.fetch(user, "late")
		b.until(20*s + 100*ms)
		b.server.jump(10*m + ms)
		b.store(newcomer, "other", 1)
		if synctest.Wait(); b.known(user) {
			b.Fatal("it is still known")
		}
		b.store(ws, "f", 1)
		b.store(ws, "c", 2)
		b.store(ws, "found", 3)
		finder.gets("3", 20*s+100*ms) // it is told, and in nobody's way
		b.until(22 * s)
		fetcher.gets("1", 22*s)
		claimer.claims(1, "2", 22*s)
		b.until(23 * s)
		b.store(ws, "late", 4)
		late.gets("4", 23*s)
	})
}

// lapsed is a client that counts as dead.
type lapsed struct {
	user    *workspace.Workspace
	machine *machine
	other   *workspace.Workspace
}

// Redis may lose waiters and keep the connections, as behind a proxy that goes over to older data. The beat finds out.
func TestClockLostWaiters(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, _ := b.user()
		fetcher, claimer, finder := b.fetch(user, "f"), b.claim(user, "c", s), b.find(user, "found")
		b.until(3 * s)
		for _, variable := range []string{"f", "c", "found"} {
			b.server.redis.Del(b.key("waiters", variable))
			b.store(ws, variable, variable)
		}
		b.until(4*s - ms)
		fetcher.waits()
		claimer.waits()
		finder.waits()
		b.until(4 * s)
		fetcher.gets(`"f"`, 4*s)
		claimer.claims(1, `"c"`, 4*s)
		finder.gets(`"found"`, 4*s)
	})
}

// Of very many waiters each beat looks for a thousand.
func TestClockManyLostWaiters(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.owner(nil)
		user, _ := b.user()
		n, beats := 1900, []int{1000, 1900}
		if os.Getenv("NETSPACES_ALL") == "1" {
			n, beats = 2500, []int{1000, 2000, 2500}
		}
		for range n {
			b.fetch(user, "v")
		}
		b.until(3 * s)
		b.server.redis.Del(b.key("waiters", "v"))
		for beat, most := range beats {
			b.until(time.Duration(4+2*beat) * s)
			synctest.Wait()
			infos, err := user.ListVars(b.ctx)
			b.must(err)
			if got := infos[0].Fetchers; got > most || got < most*4/5 {
				b.Errorf("after beat %d there are %d waiters", beat+1, got)
			}
		}
	})
}
