package sleigh_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// says checks what Explain says, in this order. A star stands for anything.
func (b *bubble) says(want ...string) []sleigh.Reason {
	b.Helper()
	synctest.Wait()
	reasons, err := b.sleigh.Explain(b.ctx)
	b.must(err)
	var got []string
	for _, r := range reasons {
		got = append(got, r.String())
	}
	if !slices.EqualFunc(got, want, matches) {
		b.Fatalf("at %v it says\n\t%s\nwant\n\t%s", b.now(), strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	return reasons
}

func matches(got, want string) bool {
	for i, part := range strings.Split(want, "*") {
		at := strings.Index(got, part)
		if at < 0 || i == 0 && at > 0 {
			return false
		}
		got = got[at+len(part):]
	}
	return got == "" || strings.HasSuffix(want, "*")
}

// joins has a worker join that the team counts: the ranks are taken in turn.
func (b *bubble) joins(rank int) *worker {
	b.Helper()
	b.must(sleigh.TakeRank(b.ctx, b.sleigh))
	return b.worker(rank)
}

// An element runs long if it takes more than 5 s, and more than five times as long as others.
func TestClockExplainLongElement(t *testing.T) {
	inBubble(t, 2, func(b *bubble) {
		b.joins(0)
		b.joins(1)
		c := b.each(held, 4, &sleigh.JobOptions{Chunk: 1})
		b.until(5 * s)
		b.says()
		b.until(6 * s)
		one := b.run(0)
		if one.index != 0 {
			one = b.run(1)
		}
		r := b.says("element 0 of held runs on worker * (*) since 6 s; 1 other takes long, too",
			"job * (held) waits: its window is taken by 2 elements that take long")
		if r[0].Cause != sleigh.LongElement || r[0].Index != 0 || r[0].Elements != 2 || r[0].For != 6*s || len(r[0].Ranks) != 2 ||
			r[0].Ranks[0] != one.rank || r[0].Job == "" || r[1].Job != r[0].Job {
			b.Errorf("the reasons are %+v", r)
		}
		b.run(0).end <- nil
		b.run(1).end <- nil
		b.until(30 * s) // five times as long as the first two took
		b.says()
		b.until(2*time.Minute + 6*s)
		b.says("element * of held runs on worker * (*) since 2m; 1 other takes long, too")
		b.run(2).end <- nil
		b.run(3).end <- nil
		c.ended(2*time.Minute + 6*s)
		b.says()
	})
}

// No worker is there, and then one that is silent.
func TestClockExplainNoWorker(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		r := b.says("no worker has joined; on any machine, start one with REDIS_URL=redis://bubble* NETSPACES_TEAM=*")
		if r[0].Cause != sleigh.NoWorker || r[0].Workers != 1 {
			b.Errorf("the reason is %+v", r)
		}
		w := b.joins(0)
		b.says()
		b.until(s)
		w.on.freeze()
		b.until(20 * s)
		r = b.says("nothing is heard of worker 0 on host *, last seen 20 s ago")
		if r[0].Cause != sleigh.HostSilent || r[0].Tasks != 0 || len(r[0].Ranks) != 1 {
			b.Errorf("the reason is %+v", r)
		}
	})
}

// Tasks of a silent host go elsewhere when their lease ends.
func TestClockExplainSilent(t *testing.T) {
	inBubble(t, 2, func(b *bubble) {
		workers := []*worker{b.joins(0), b.joins(1)}
		c := b.each(held, 1, &sleigh.JobOptions{Lease: time.Minute})
		one := b.run(0)
		b.until(s)
		workers[one.rank].on.freeze()
		b.until(6 * s)
		b.says("element 0 of held runs on worker * (*) since 6 s")
		b.until(15 * s)
		r := b.says("1 task is claimed on host *, last seen 15 s ago; it goes elsewhere in 45 s")
		if r[0].Cause != sleigh.HostSilent || r[0].Tasks != 1 || r[0].Elements != 1 || r[0].For != 15*s || r[0].In != 45*s {
			b.Errorf("the reason is %+v", r)
		}
		b.until(time.Minute + told)
		b.says()
		b.run(1).end <- nil
		c.gives(time.Minute+told, played{0, 1 - one.rank})
	})
}

// Of many silent workers not all tasks are read, and all are told.
func TestClockExplainManySilent(t *testing.T) {
	const n = 25
	inBubble(t, n, func(b *bubble) {
		var workers []*worker
		for rank := range n {
			workers = append(workers, b.joins(rank))
		}
		b.each(held, n, &sleigh.JobOptions{Chunk: 1, Lease: time.Minute})
		b.run(n - 1)
		for _, w := range workers {
			w.on.freeze()
		}
		b.until(10 * s)
		r := b.says("25 tasks are claimed on host *, last seen 10 s ago; they go elsewhere in 50 s")
		if r[0].Tasks != n || r[0].Elements != n || len(r[0].Ranks) != n {
			b.Errorf("the reason is %+v", r)
		}
	})
}

// Workers wait for a variable, of which there is none, or none any more.
func TestClockExplainWaiting(t *testing.T) {
	inBubble(t, 2, func(b *bubble) {
		b.joins(0)
		b.joins(1)
		user := b.sleigh.User()
		b.each(awaited, 2, nil)
		b.until(5 * s)
		b.says()
		b.until(6 * s)
		r := b.says("all 2 workers wait in fetch of `x`, which nobody has stored")
		if r[0].Cause != sleigh.Waiting || !r[0].Fetch || r[0].Known || r[0].For != 6*s || !slices.Equal(r[0].Ranks, []int{0, 1}) {
			b.Errorf("the reason is %+v", r)
		}
		b.must(user.Store(b.ctx, "x", 1))
		b.until(30 * s) // five times as long as the other one took
		b.says()
		b.until(31 * s)
		r = b.says("worker * waits in fetch of `x`, which has no value now")
		if !r[0].Known || len(r[0].Ranks) != 1 || r[0].Workers != 2 {
			b.Errorf("the reason is %+v", r)
		}
		b.must(user.Store(b.ctx, "x", 1))
		b.until(32 * s)
		b.says()
	})
}

// awaited waits for a variable, and takes it.
var awaited = sleigh.Register("awaited", func(ctx context.Context, x int) (played, error) {
	w := sleigh.WorkerFrom(ctx)
	return played{sleigh.Index(ctx), w.Rank()}, w.User().Fetch(ctx, "x", new(int))
})

// EachWorker waits for a worker that does not come.
func TestClockExplainMissingRank(t *testing.T) {
	inBubble(t, 3, func(b *bubble) {
		b.joins(0)
		c := b.begin(func(ctx context.Context) ([]played, error) { return held.EachWorker(ctx, b.sleigh, 0) })
		b.run(0).end <- nil
		b.until(6 * s)
		r := b.says("job * (held) waits for workers 1 and 2, and there is none of that rank")
		if r[0].Cause != sleigh.RankMissing || !slices.Equal(r[0].Ranks, []int{1, 2}) {
			b.Errorf("the reason is %+v", r)
		}
		c.waits()
	})
}

// A job whose elements wait for their next attempt says when that is.
func TestClockExplainRetry(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		b.joins(0)
		b.each(held, 1, &sleigh.JobOptions{Attempts: 2, Backoff: 30 * s})
		b.run(0).end <- errors.New("not yet")
		b.until(10 * s)
		r := b.says("job * (held) waits: its window is taken by 1 element that waits for its next attempt, the first in 20 s")
		if r[0].Cause != sleigh.WindowTaken || r[0].Retries != 1 || r[0].In != 20*s || r[0].Elements != 0 {
			b.Errorf("the reason is %+v", r)
		}
		b.until(30 * s)
		b.run(1).end <- nil
		b.says()
	})
}

// A job waits for another one that has all workers.
func TestClockExplainOtherJob(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		b.joins(0)
		b.each(held, 1, nil)
		b.run(0)
		other, err := heldDeaf.Submit(b.ctx, b.sleigh, upTo(1), nil)
		b.must(err)
		b.until(7 * s)
		r := b.says("element 0 of held runs on worker 0 (*) since 7 s", "job "+other.ID()+" (heldDeaf) waits: the workers are taken by job *")
		if r[1].Cause != sleigh.WindowTaken || len(r[1].Jobs) != 1 || r[1].Jobs[0] != r[0].Job || r[1].Job != other.ID() {
			b.Errorf("the reason is %+v", r)
		}
		other.Cancel()
		b.run(0).end <- nil
	})
}

// The sequence of elements gives no more for now.
func TestClockExplainNoInput(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		b.joins(0)
		elems := make(chan int)
		job, err := held.Submit(b.ctx, b.sleigh, sleigh.FromChannel(b.ctx, elems), nil)
		b.must(err)
		b.until(6 * s)
		b.says("the sequence of elements of job * (held) has given none for 6 s; the 0 that it gave are done")
		elems <- 1
		b.run(0).end <- nil
		b.until(10 * s)
		b.says()
		b.until(20 * s)
		r := b.says("the sequence of elements of job * (held) has given none for 14 s; the 1 that it gave are done")
		if r[0].Cause != sleigh.NoInput || r[0].Job != job.ID() || r[0].Elements != 1 || r[0].For != 14*s {
			b.Errorf("the reason is %+v", r)
		}
		close(elems)
		_, err = job.Wait(b.ctx)
		b.must(err)
		b.says()
	})
}

// Nobody takes results.
func TestClockExplainNotTaken(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		b.joins(0)
		next := make(chan struct{})
		goOn := sync.OnceFunc(func() { close(next) })
		defer goOn()
		began := make(chan struct{})
		c := b.begin(func(ctx context.Context) ([]played, error) {
			return nil, square.Accumulate(ctx, b.sleigh, upTo(3), &sleigh.JobOptions{Chunk: 1}, func(i, value int) error {
				if i == 0 {
					close(began)
					<-next
				}
				return nil
			})
		})
		<-began
		b.until(6 * s)
		r := b.says("job * (square) has results that nobody takes: * for 6 s for the program that asked for them")
		if r[0].Cause != sleigh.NotTaken || r[0].For != 6*s {
			b.Errorf("the reason is %+v", r)
		}
		goOn()
		synctest.Wait()
		c.ended(6 * s)
		b.must(c.err)
		b.says()
	})
}

// A loop over All that does not go on is told of once no more results can be kept.
func TestClockExplainLoop(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		b.joins(0)
		job, err := square.Submit(b.ctx, b.sleigh, upTo(30000), nil)
		b.must(err)
		for _, err := range job.All(b.ctx) {
			b.must(err)
			b.until(b.now() + 10*s)
			if b.now() > 20*s {
				break
			}
			r := b.says("job * (square) has results that nobody takes: * for the program that asked for them")
			if r[0].Cause != sleigh.NotTaken || r[0].Job != job.ID() || r[0].Elements < 10000 || r[0].For < 9*s {
				b.Errorf("the reason is %+v", r)
			}
		}
		job.Cancel()
	})
}

// OnDone that does not return keeps the master from taking more.
func TestClockExplainOnDone(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		b.joins(0)
		next := make(chan struct{})
		goOn := sync.OnceFunc(func() { close(next) })
		defer goOn()
		b.each(held, 3, &sleigh.JobOptions{Chunk: 1, OnDone: func(done int) {
			if done == 1 {
				<-next
			}
		}})
		for i := range 3 {
			b.run(i).end <- nil
			synctest.Wait()
		}
		b.until(6 * s)
		r := b.says("job * (held) has results that nobody takes: 2 have waited for 6 s for the program that asked for them")
		if r[0].Cause != sleigh.NotTaken || r[0].Elements != 2 {
			b.Errorf("the reason is %+v", r)
		}
		goOn()
	})
}

// Redis does not answer.
func TestClockExplainNoAnswer(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		b.joins(0)
		b.says()
		b.until(s)
		b.master.freeze()
		r := b.says("Redis has not answered for 6 s: workspace*")
		if r[0].Cause != sleigh.NoAnswer || r[0].For != 6*s || r[0].Detail == "" {
			b.Errorf("the reason is %+v", r)
		}
		if at := b.now(); at != 7*s {
			b.Errorf("it took until %v", at)
		}
		b.master.thaw()
		b.until(20 * s)
		b.says()
	})
}

// All workers leave, and no other one comes.
func TestClockExplainLeaving(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		b.must(sleigh.TakeRank(b.ctx, b.sleigh))
		leave, _ := b.drain(0)
		b.each(held, 2, &sleigh.JobOptions{Chunk: 1})
		b.until(s)
		b.says()
		leave()
		b.until(2 * s)
		r := b.says("worker 0 leaves: there is no other to take tasks")
		if r[0].Cause != sleigh.AllLeaving || !slices.Equal(r[0].Ranks, []int{0}) || len(r[0].Hosts) != 1 {
			b.Errorf("the reason is %+v", r)
		}
		b.run(0).end <- nil
	})
}
