package sleigh_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// visitor looks in from a machine of its own: the bubble as it sees it.
func (b *bubble) visitor() *bubble {
	b.Helper()
	rdb, _ := b.client()
	v := *b
	var err error
	v.sleigh, err = sleigh.Visit(b.ctx, rdb, b.sleigh.Name())
	b.must(err)
	b.Cleanup(func() { b.must(v.sleigh.Stop(b.ctx)) })
	return &v
}

// A visitor is told what keeps the jobs of another master, and who that is.
func TestClockExplainVisitor(t *testing.T) {
	const master = "; its master is sleigh.test (pid *) on *"
	inBubble(t, 3, func(b *bubble) {
		v := b.visitor()
		v.says("no worker has joined; on any machine, start one with REDIS_URL=redis://bubble* NETSPACES_TEAM=* sleigh.test")
		b.joins(0)
		b.joins(1)
		v.says()
		all := b.begin(func(ctx context.Context) ([]played, error) { return held.EachWorker(ctx, b.sleigh, 0) })
		b.until(6 * s)
		r := v.says("job * (held) waits for worker 2, and there is none of that rank"+master,
			"element * of held runs on worker * (*) since 6 s; 1 other takes long, too"+master)
		if r[0].Cause != sleigh.RankMissing || !slices.Equal(r[0].Ranks, []int{2}) || r[1].Cause != sleigh.LongElement || r[0].Master.Host == "" ||
			r[0].Master != r[1].Master || r[0].Job != r[1].Job {
			b.Errorf("the reasons are %+v", r)
		}
		b.run(0).end <- nil
		b.run(1).end <- nil
		b.joins(2)
		b.run(2).end <- nil
		all.ended(6 * s)
		b.until(7 * s)
		v.says()

		b.each(awaited, 3, &sleigh.JobOptions{Chunk: 1})
		b.until(14 * s)
		r = v.says("all 3 workers wait in fetch of `x`, which nobody has stored")
		if r[0].For != 7*s || !slices.Equal(r[0].Ranks, []int{0, 1, 2}) {
			b.Errorf("the reason is %+v", r)
		}
		for range 3 {
			b.must(v.sleigh.User().Store(b.ctx, "x", 1))
		}
		b.until(15 * s)
		v.says()
	})
}

// A visitor is told of a silent host.
func TestClockExplainVisitorSilent(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		v := b.visitor()
		w := b.joins(0)
		b.each(held, 1, &sleigh.JobOptions{Lease: time.Minute})
		b.run(0)
		b.until(s)
		w.on.freeze()
		b.until(15 * s)
		v.says("1 task is claimed on host *, last seen 15 s ago; it goes elsewhere in 45 s")
	})
}

// Another program cancels a job: its master's call and its functions end within a second.
func TestClockCancelJob(t *testing.T) {
	inBubble(t, 2, func(b *bubble) {
		b.joins(0)
		b.joins(1)
		v := b.visitor()
		c := b.each(held, 4, &sleigh.JobOptions{Chunk: 1})
		b.until(5*s + 100*ms)
		b.must(v.sleigh.CancelJob(b.ctx, "held"))
		c.ended(5*s + 100*ms)
		if !errors.Is(c.err, sleigh.ErrEnded) {
			b.Errorf("it ended by %v", c.err)
		}
		b.until(6*s + 100*ms)
		for n := range 2 {
			if !b.run(n).hasEnded() {
				b.Errorf("function %d has not ended", n)
			}
		}
		b.wantTimes("runs began", b.begins(), 0, 0)
		v.says()
	})
}

// A master that cancels its own job learns of it as fast as any other.
func TestClockCancelOwnJob(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		b.joins(0)
		c := b.each(held, 2, &sleigh.JobOptions{Chunk: 1})
		b.until(5*s + 100*ms)
		b.must(b.sleigh.CancelJob(b.ctx, "held"))
		c.ended(5*s + 100*ms)
		if !errors.Is(c.err, sleigh.ErrEnded) {
			b.Errorf("it ended by %v", c.err)
		}
	})
}

// A job is cancelled while its program is busy with a result: it learns of that when it asks for more.
func TestClockCancelJobBetween(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		b.joins(0)
		v := b.visitor()
		c := b.each(held, 2, &sleigh.JobOptions{Chunk: 1, OnDone: func(int) { b.must(v.sleigh.CancelJob(b.ctx, "held")) }})
		b.until(s)
		b.run(0).end <- nil
		c.ended(s)
		if !errors.Is(c.err, sleigh.ErrEnded) {
			b.Errorf("it ended by %v", c.err)
		}
	})
}

// A worker that somebody tells to leave ends what it runs; when its time for that is over, the rest goes to others.
func TestClockDrainWorker(t *testing.T) {
	inBubble(t, 2, func(b *bubble) {
		v := b.visitor()
		if err := v.sleigh.DrainWorker(b.ctx, 0); !errors.Is(err, sleigh.ErrNoWorker) {
			b.Errorf("nobody has the rank: %v", err)
		}
		b.must(sleigh.TakeRank(b.ctx, b.sleigh))
		b.must(sleigh.TakeRank(b.ctx, b.sleigh))
		_, gone := b.drain(1)
		c := b.each(held, 1, nil)
		b.run(0)
		b.until(s)
		for range 2 { // the second one changes nothing
			b.must(v.sleigh.DrainWorker(b.ctx, 1))
		}
		b.until(20 * s)
		b.must(v.sleigh.DrainWorker(b.ctx, 1))
		b.until(s + 25*time.Second - ms)
		b.wantGone(gone, false)
		v.says("worker 1 leaves: there is no other to take tasks")
		b.until(s + 25*time.Second + ms)
		b.wantGone(gone, true)
		b.worker(0)
		b.run(1).end <- nil
		c.gives(26*s+ms, played{0, 0})
	})
}
