package workspace_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// view is what Watch gave, and when.
type view struct {
	at     []time.Duration
	values []int // in variable v
}

// watch begins to watch a workspace.
func (b *bubble) watch(ws *workspace.Workspace) (*view, *call) {
	v := &view{}
	c := b.begin(func(ctx context.Context, c *call) {
		for infos, err := range ws.Watch(ctx) {
			if c.err = err; err != nil {
				return
			}
			n := 0
			for _, info := range infos {
				if info.Name == "v" {
					n = info.Values
				}
			}
			v.at, v.values = append(v.at, b.now()), append(v.values, n)
		}
	})
	return v, c
}

// What changes often is shown some ten times a second, and what comes last is shown soon.
func TestClockWatchPace(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, _ := b.user()
		v, _ := b.watch(user)
		b.until(10 * s)
		for i := range 200 {
			b.until(10*s + time.Duration(i)*10*ms)
			b.store(ws, "v", i)
		}
		b.until(12*s + 500*ms)
		for i := 2; i < len(v.at); i++ {
			if gap := v.at[i] - v.at[i-1]; gap < 100*ms {
				b.Errorf("at %v it came again after %v", v.at[i], gap)
			}
		}
		if n := len(v.at); n < 15 || n > 25 {
			b.Errorf("in two seconds it came %d times: %v", n, v.at)
		}
		last := len(v.at) - 1
		if v.values[last] != 200 || v.at[last] > 12*s+200*ms {
			b.Errorf("at %v it showed %d values, last", v.at[last], v.values[last])
		}
	})
}

// Scripts keep quiet for some moments after they have told of a change. What they keep quiet about is shown, too.
func TestClockWatchSecondChange(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, _ := b.user()
		v, _ := b.watch(user)
		b.until(10 * s)
		b.store(ws, "v", 1)
		b.until(10*s + 40*ms)
		b.store(ws, "v", 2)
		b.until(10*s + 300*ms)
		if v.values[len(v.values)-1] != 2 {
			b.Errorf("at %v it showed %v", v.at, v.values)
		}
	})
}

// Nobody tells of what is written by hand, so that it is looked for.
func TestClockWatchByHand(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, _ := b.user()
		b.store(ws, "v", 1)
		v, _ := b.watch(user)
		b.until(10 * s)
		_, err := b.server.redis.Push(b.key("values", "v"), "2")
		b.must(err)
		b.until(12*s + 100*ms)
		if v.values[len(v.values)-1] != 2 {
			b.Errorf("at %v it showed %v", v.at, v.values)
		}
		shown := len(v.at)
		if b.until(time.Minute); len(v.at) != shown {
			b.Errorf("nothing has changed, and yet it came at %v", v.at[shown:])
		}
		looks := b.server.times(20*s, user.Client(), "listvars")
		if gap := looks[1] - looks[0]; gap != 2100*ms {
			b.Errorf("there are %v between two looks", gap)
		}
	})
}

// The scripts tell of changes for a minute, and are asked again long before that is over. When nobody watches any more,
// they stop.
func TestClockWatchedForAMinute(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, _ := b.user()
		_, watching := b.watch(user)
		b.until(5 * m)
		asked := b.server.times(0, user.Client(), "watch")
		for i := 1; i < len(asked); i++ {
			if gap := asked[i] - asked[i-1]; gap <= 20*s || gap > 23*s {
				b.Errorf("it asked again after %v", gap)
			}
		}
		watching.cancel()
		synctest.Wait()
		end := asked[len(asked)-1] + m
		for _, c := range []struct {
			at   time.Duration
			told int
		}{{5*m + s, 1}, {end - 60*ms, 1}, {end, 0}, {time.Hour, 0}} {
			b.until(c.at)
			before := b.server.published()
			b.store(ws, "v", 1)
			if told := b.server.published() - before; told != c.told {
				b.Errorf("at %v, %d messages", c.at, told)
			}
		}
	})
}
