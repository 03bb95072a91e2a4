package sleigh_test

import (
	"testing"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// drain has a worker of a rank serve on a machine of its own until it is told to leave by the returned function.
func (b *bubble) drain(rank int) (leave func(), gone <-chan struct{}) {
	b.Helper()
	rdb, _ := b.client()
	w, err := sleigh.Enlist(b.ctx, rdb, b.sleigh, rank)
	b.must(err)
	told, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		w.ServeUntilLeft(b.ctx, told)
	}()
	b.Cleanup(func() { <-ended })
	return func() { close(told) }, ended
}

// wantGone checks that a worker has left or not.
func (b *bubble) wantGone(gone <-chan struct{}, want bool) {
	b.Helper()
	select {
	case <-gone:
		if !want {
			b.Errorf("at %v the worker has left", b.now())
		}
	default:
		if want {
			b.Errorf("at %v the worker has not left", b.now())
		}
	}
}

// A worker that is to leave claims no more, ends what it runs, and leaves.
func TestClockDrainEnds(t *testing.T) {
	inBubble(t, 2, func(b *bubble) {
		leave, gone := b.drain(0)
		c := b.each(held, 2, &sleigh.JobOptions{Chunk: 1, NoCopies: true})
		b.until(s)
		leave()
		b.until(24 * s)
		b.wantGone(gone, false)
		b.wantTimes("runs began", b.begins(), 0)
		b.run(0).end <- nil
		b.until(24*s + ms)
		b.wantGone(gone, true)
		b.wantTimes("runs began", b.begins(), 0)
		b.worker(1)
		b.run(1).end <- nil
		c.gives(24*s+ms, played{0, 0}, played{1, 1})
	})
}

// What a worker still runs when its time to drain is over, hears the end of its context and goes to others.
func TestClockDrainIsOver(t *testing.T) {
	inBubble(t, 2, func(b *bubble) {
		leave, gone := b.drain(0)
		c := b.each(held, 1, nil)
		b.until(s)
		leave()
		b.until(s + 25*time.Second - ms)
		b.wantGone(gone, false)
		b.until(s + 25*time.Second + ms)
		b.wantGone(gone, true)
		if !b.run(0).hasEnded() {
			b.Error("its context has not ended")
		}
		b.worker(1)
		b.run(1).end <- nil
		c.gives(26*s+ms, played{0, 1})
	})
}
