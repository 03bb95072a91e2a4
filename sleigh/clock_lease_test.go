package sleigh_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// lease is the default one.
const lease = 10 * s

// A worker that is silent past its lease loses its task to another one, and settles in vain afterwards.
func TestClockSilentWorker(t *testing.T) {
	inBubble(t, 2, func(b *bubble) {
		workers := []*worker{b.worker(0), b.worker(1)}
		c := b.each(held, 1, nil)
		one := b.run(0)
		workers[one.rank].on.freeze()
		b.until(lease - ms)
		if n := len(b.begins()); n != 1 {
			b.Fatalf("there are %d runs before the lease has ended", n)
		}
		b.until(lease + told)
		other := b.run(1)
		b.wantBetween("the other one began", b.begins()[1], lease, lease+told)
		if other.rank == one.rank {
			b.Fatal("the same worker has it again")
		}
		b.until(20 * s)
		one.end <- nil
		workers[one.rank].on.thaw()
		b.until(30 * s)
		c.waits()
		other.end <- nil
		c.gives(30*s, played{0, other.rank})
	})
}

// What a worker does longer than its lease stays with it, as long as it gives signs of life.
func TestClockLongTask(t *testing.T) {
	inBubble(t, 2, func(b *bubble) {
		b.worker(0)
		b.worker(1)
		c := b.each(held, 1, nil)
		b.until(2 * time.Minute)
		b.wantTimes("runs began", b.begins(), 0)
		b.run(0).end <- nil
		c.gives(2*time.Minute, played{0, b.run(0).rank})
	})
}

// A worker whose lease has ended settles all the same, if nobody else has taken its task.
func TestClockLateButFirst(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		w := b.worker(0)
		c := b.each(held, 1, nil)
		b.until(s)
		w.on.freeze()
		b.until(lease + 20*s)
		c.waits()
		b.run(0).end <- nil
		w.on.thaw()
		b.until(lease + 40*s)
		c.gives(c.at, played{0, 0})
		b.wantTimes("runs began", b.begins(), 0)
	})
}

// The elements of a chunk that wait behind a long one go to others, and their results do not wait for it either.
func TestClockElementsBehindALongOne(t *testing.T) {
	inBubble(t, 2, func(b *bubble) {
		b.worker(0)
		b.worker(1)
		c := b.each(held, 10, &sleigh.JobOptions{Chunk: 10})
		long := b.run(0)
		for i := 1; i < 10; i++ {
			b.until(b.now() + s)
			r := b.run(i)
			if r.rank == long.rank {
				b.Errorf("%v, as the long one", r)
			}
			r.end <- nil
		}
		b.until(time.Minute)
		c.waits()
		long.end <- nil
		c.ended(time.Minute)
		b.must(c.err)
		for i, p := range c.results {
			if p.Index != i {
				b.Errorf("result %d is that of element %d", i, p.Index)
			}
		}
	})
}

// The pause before each further attempt is twice as long, up to a minute.
func TestClockBackoff(t *testing.T) {
	for _, tc := range []struct {
		backoff time.Duration
		begins  []time.Duration
	}{
		{0, []time.Duration{0, s, 3 * s, 7 * s}},
		{25 * s, []time.Duration{0, 25 * s, 75 * s, 135 * s}},
		{2 * time.Minute, []time.Duration{0, 2 * time.Minute, 4 * time.Minute, 6 * time.Minute}},
	} {
		t.Run(fmt.Sprint(tc.backoff), func(t *testing.T) {
			inBubble(t, 1, func(b *bubble) {
				b.worker(0)
				c := b.each(held, 1, &sleigh.JobOptions{Attempts: 4, Backoff: tc.backoff})
				for i, at := range tc.begins {
					b.until(at)
					c.waits()
					b.run(i).end <- fmt.Errorf("not yet: %d", i+1)
				}
				b.wantTimes("attempts began", b.begins(), tc.begins...)
				last := tc.begins[len(tc.begins)-1]
				if e := c.fails(last); e.Attempt != 4 || e.Message != "not yet: 4" {
					b.Errorf("attempt %d: %s", e.Attempt, e.Message)
				}
			})
		})
	}
}

// A later attempt that succeeds counts.
func TestClockSecondAttempt(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		b.worker(0)
		c := b.each(held, 1, &sleigh.JobOptions{Attempts: 2})
		b.run(0).end <- errors.New("not yet")
		b.until(s)
		b.run(1).end <- nil
		c.gives(s, played{0, 0})
	})
}

// The timeout ends the context of the function, for each element anew.
func TestClockTimeout(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		w := b.worker(0)
		c := b.each(held, 2, &sleigh.JobOptions{Timeout: 10 * s, Chunk: 2})
		b.until(9 * s)
		b.run(0).end <- nil
		b.until(19*s - ms)
		c.waits()
		b.until(19 * s)
		e := c.fails(19 * s)
		if want := "its timeout of 10s is over"; e.Index != 1 || e.Message != want {
			b.Errorf("element %d: %q, want %q", e.Index, e.Message, want)
		}
		w.hasLeft(false)
	})
}

// A function that goes on for 5 s after its timeout is left to itself; its worker leaves, and others have the rest.
func TestClockTimeoutIgnored(t *testing.T) {
	inBubble(t, 2, func(b *bubble) {
		workers := []*worker{b.worker(0), b.worker(1)}
		c := b.each(heldDeaf, 2, &sleigh.JobOptions{Timeout: 10 * s, Chunk: 2})
		deaf := b.run(0)
		b.until(s)
		b.run(1).end <- nil // the second element went to the other worker
		b.until(10 * s)
		if cause := context.Cause(deaf.ctx); cause == nil {
			b.Error("its context has not ended")
		}
		b.until(15*s - ms)
		c.waits()
		workers[deaf.rank].hasLeft(false)
		b.until(15 * s)
		if e := c.fails(15 * s); e.Index != 0 || e.Worker != deaf.rank || e.Message != "its timeout of 10s is over, and it goes on" {
			b.Errorf("got %+v", e)
		}
		workers[deaf.rank].hasLeft(true)
		workers[1-deaf.rank].hasLeft(false)
	})
}

// EachWorker runs again on the worker that takes the rank of a dead one: at once where that is known, or after the lease.
func TestClockEachWorkerAfterADeath(t *testing.T) {
	for name, known := range map[string]bool{"known": true, "silent": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 2, func(b *bubble) {
				b.worker(0)
				dead := b.worker(1)
				c := b.begin(func(ctx context.Context) ([]played, error) { return held.EachWorker(ctx, b.sleigh, 0) })
				first := b.run(0)
				if second := b.run(1); first.rank == second.rank {
					b.Fatalf("both run on %d", first.rank)
				}
				b.until(s)
				dead.die()
				b.until(3 * s)
				b.worker(1)
				from, to := lease, lease+told
				if known {
					dead.bury(&sleigh.Death{Worker: 1})
					from, to = 3*s, 3*s
				}
				b.until(to)
				again := b.run(2)
				if again.rank != 1 {
					b.Errorf("again: %v", again)
				}
				b.wantBetween("the new one began", b.begins()[2], from, to)
				for i := range 3 {
					b.run(i).end <- nil
				}
				c.gives(to, played{0, 0}, played{1, 1})
			})
		})
	}
}

// An element over which three workers died is given up, and says whom it cost; others are not. One that its own keeper has
// killed does not count.
func TestClockPoison(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		c := b.each(held, 3, &sleigh.JobOptions{Chunk: 1, LoadFactor: 3})
		var w *worker
		var deaths []sleigh.Death
		for died := range 4 {
			w = b.worker(0)
			at := b.now() + s
			b.until(at)
			r := b.run(died)
			if r.index != 0 {
				b.Fatalf("death %d would be over %v", died, r)
			}
			w.die()
			if died == 1 {
				w.bury(nil)
				continue
			}
			death := sleigh.Death{Worker: 0, Host: "host", PID: 1 + died, Cause: "killed", Stderr: "last words"}
			deaths = append(deaths, death)
			w.bury(&death)
		}
		w = b.worker(0)
		for i := 4; i < 6; i++ {
			b.until(b.now() + s)
			b.run(i).end <- nil
		}
		e := c.fails(b.now())
		if e.Index != 0 || !slices.Equal(e.Deaths, deaths) {
			b.Errorf("got %+v", e)
		}
		w.hasLeft(false)
	})
}

// A function hears within a second that its job has been cancelled.
func TestClockCancel(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		b.worker(0)
		c := b.each(held, 5, nil)
		b.until(time.Minute + 123*ms)
		c.cancel()
		c.ended(time.Minute + 123*ms)
		if !errors.Is(c.err, context.Canceled) {
			b.Errorf("got %v", c.err)
		}
		b.until(time.Minute + 1123*ms)
		synctest.Wait()
		if r := b.run(0); !r.hasEnded() {
			b.Errorf("%v goes on", r)
		}
		if n := len(b.begins()); n != 1 {
			b.Errorf("there were %d runs", n)
		}
	})
}

// A worker that has nothing else to do runs a copy of a task that takes long at the end of a job. The result that comes
// first counts, and the other run is told to stop.
func TestClockStraggler(t *testing.T) {
	inBubble(t, 2, func(b *bubble) {
		b.worker(0)
		b.worker(1)
		c := b.begin(func(ctx context.Context) ([]played, error) { return held.EachElem(ctx, b.sleigh, upTo(1), nil) })
		b.until(2 * s)
		one, other := b.run(0), b.run(1)
		b.wantBetween("the copy began", b.begins()[1], s, 1500*ms)
		if one.rank == other.rank {
			b.Errorf("both are %v", one)
		}
		other.end <- nil
		c.gives(2*s, played{0, other.rank})
		b.until(3 * s)
		if !one.hasEnded() {
			b.Errorf("%v goes on", one)
		}
		if n := len(b.begins()); n != 2 {
			b.Errorf("there were %d runs", n)
		}
	})
}

// A job may have a lease of its own.
func TestClockLeaseOfAJob(t *testing.T) {
	inBubble(t, 2, func(b *bubble) {
		workers := []*worker{b.worker(0), b.worker(1)}
		c := b.each(held, 1, &sleigh.JobOptions{Lease: time.Minute})
		one := b.run(0)
		b.until(s)
		workers[one.rank].on.freeze()
		b.until(time.Minute - ms)
		b.wantTimes("runs began", b.begins(), 0)
		b.until(time.Minute + told)
		b.run(1).end <- nil
		c.gives(time.Minute+told, played{0, 1 - one.rank})
	})
}

// A worker that has to stop gives back the element that it runs, also when it has given the rest of its chunk to others
// before.
func TestClockStoppedAfterItShared(t *testing.T) {
	inBubble(t, 2, func(b *bubble) {
		const n = 10
		leaves := b.worker(0)
		c := b.each(held, n, &sleigh.JobOptions{Chunk: n})
		b.until(s)
		b.wantTimes("runs began", b.begins(), 0)
		leaves.stop()
		leaves.hasLeft(true)
		b.wantBalance("after it has left")
		b.worker(1)
		b.finish(c, n)
		if c.at > 5*s {
			b.Errorf("the job took %v", c.at)
		}
	})
}
