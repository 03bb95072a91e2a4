package workspace_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// What IFetch took ahead goes back when the loop is held up for fifty milliseconds, and is the next again.
func TestClockTakenAheadGoesBack(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, _ := b.user()
		for i := range 20 {
			b.store(ws, "v", i)
		}
		proceed := make(chan struct{})
		release := sync.OnceFunc(func() { close(proceed) })
		var got []int
		loop := b.begin(func(ctx context.Context, c *call) {
			for value, err := range workspace.NewVar[int](user, "v").IFetch().Try(ctx) {
				if c.err = err; err != nil {
					return
				}
				if got = append(got, value); value == 3 { // a loop that takes no time took 1, 2, 4, … values
					<-proceed
				}
			}
		})
		b.Cleanup(release)
		b.until(50*ms - 1)
		b.holdsSome(ws, "v", "7") // 4, 5, 6 were taken ahead
		b.until(50 * ms)
		b.holdsSome(ws, "v", "4", "5")
		b.until(s)
		release()
		loop.ended(s)
		b.must(loop.err)
		if want := []int{0, 1, 2, 3, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}; !slices.Equal(got, want) {
			b.Errorf("the loop got %v, want %v", got, want)
		}
		b.holds(ws, "v")
	})
}

// Who waits for such a value gets it then.
func TestClockTakenAheadGoesToWhoWaits(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, _ := b.user()
		b.store(ws, "v", 0, 1, 2, 3, 4, 5, 6)
		proceed := make(chan struct{})
		release := sync.OnceFunc(func() { close(proceed) })
		b.begin(func(ctx context.Context, c *call) {
			for value, err := range workspace.NewVar[int](user, "v").IFetch().All(ctx) {
				if c.err = err; value == 3 {
					<-proceed
				}
			}
		})
		b.Cleanup(release)
		b.until(20 * ms)
		waiter := b.fetch(ws, "v")
		b.until(50*ms - 1)
		waiter.waits()
		b.until(s)
		waiter.gets("4", 50*ms)
		release()
		synctest.Wait()
	})
}

// A slow loop takes nothing ahead.
func TestClockSlowLoopTakesOne(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(nil)
		user, _ := b.user()
		b.store(ws, "v", 0, 1, 2, 3, 4, 5)
		var n atomic.Int32
		b.begin(func(ctx context.Context, c *call) {
			for _, err := range workspace.NewVar[int](user, "v").IFetch().Try(ctx) {
				c.err = err
				n.Add(1)
				time.Sleep(3 * ms)
			}
		})
		for i := range 6 {
			b.until(time.Duration(i)*3*ms + ms)
			left, err := b.server.redis.List(b.key("values", "v"))
			if err != nil && i < 5 {
				b.Fatal(err)
			}
			if int(n.Load()) != i+1 || len(left) != 5-i {
				b.Errorf("at %v the loop has got %d values, and %d are left", b.now(), n.Load(), len(left))
			}
		}
	})
}
