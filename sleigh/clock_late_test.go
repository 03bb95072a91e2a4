package sleigh_test

import (
	"testing"
	"testing/synctest"

	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/sleightest"
)

// idle is a worker that claims when the test says so.
func (b *bubble) idle(rank int) *sleigh.Enlisted {
	b.Helper()
	rdb, _ := b.client()
	w, err := sleigh.Enlist(b.ctx, rdb, b.sleigh, rank)
	b.must(err)
	b.Cleanup(w.Leave)
	return w
}

// wantBalance checks that the numbers of all jobs add up.
func (b *bubble) wantBalance(when string) {
	b.Helper()
	synctest.Wait()
	rdb, _ := b.client()
	if err := sleightest.Balance(b.ctx, rdb.Redis(), b.sleigh.Name()); err != nil {
		b.Errorf("%s: %v", when, err)
	}
}

// finish has all that runs end well until the job has its results.
func (b *bubble) finish(c *call, n int) {
	b.Helper()
	for i := 0; ; i++ {
		synctest.Wait()
		select {
		case <-c.done:
			b.must(c.err)
			for k, r := range c.results {
				if r.Index != k {
					b.Errorf("element %d has the result of %d", k, r.Index)
				}
			}
			if len(c.results) != n {
				b.Errorf("there are %d results", len(c.results))
			}
			return
		default:
		}
		for _, r := range b.stage.all() {
			if !r.wasTold() {
				r.tell(nil)
			}
		}
		if i > 1000 {
			b.Fatal("the job does not end")
		}
		b.until(b.now() + 100*ms)
	}
}

// Two workers hold a task: one that was silent, and one that has claimed it since and is about to take it apart. What the
// first one says does not change the task under the hands of the second.
func TestClockLateShare(t *testing.T) {
	inBubble(t, 2, func(b *bubble) {
		const n = 10
		late := b.worker(0)
		c := b.each(held, n, &sleigh.JobOptions{Chunk: n})
		late.on.freeze()
		b.until(lease + told)
		next := b.idle(1).Claim(b.ctx)
		if next.Attempt() != 2 {
			b.Fatalf("the other one has attempt %d", next.Attempt())
		}
		late.on.thaw()
		b.until(lease + told + s) // before an audit mends it
		b.wantBalance("after the late one is back")
		next.Run(b.ctx)
		b.wantBalance("after the task was taken apart")
		b.finish(c, n)
	})
}

// A worker was silent while its task was taken apart: what it says then does not count for what is left of the task.
func TestClockLateShareOfPieces(t *testing.T) {
	inBubble(t, 3, func(b *bubble) {
		const n = 10
		b.worker(0)
		c := b.each(held, n, &sleigh.JobOptions{Chunk: n})
		late := b.worker(1)
		b.until(200 * ms) // it has all but the first element, since that takes long
		if r := b.run(1); r.index != 1 || r.rank != 1 {
			b.Fatalf("%v has begun", r)
		}
		late.on.freeze()
		b.until(lease + 2*told)
		next := b.idle(2).Claim(b.ctx)
		if next.Attempt() != 2 {
			b.Fatalf("the other one has attempt %d", next.Attempt())
		}
		next.Run(b.ctx)
		b.wantBalance("after the task was taken apart")
		late.on.thaw()
		b.until(lease + 2*told + s) // before an audit mends it
		b.wantBalance("after the late one is back")
		b.finish(c, n)
	})
}
