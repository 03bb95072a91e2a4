package chaos

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// lease is that of the sleighs: pauses and outages come on both sides of it.
const lease = 2 * time.Second

// action is something that is done to the world.
type action string

const (
	killWorker   action = "kill -9 of"
	stopWorker   action = "SIGSTOP of"
	termWorker   action = "SIGTERM of"
	startWorker  action = "start of"
	cut          action = "connections cut of"
	cutAll       action = "CLIENT KILL of all"
	refuse       action = "no connections for"
	freeze       action = "no bytes for"
	deafen       action = "no messages for"
	lose         action = "lost requests and replies for"
	killRedis    action = "kill -9 of Redis"
	stopRedis    action = "SIGSTOP of Redis"
	flushScripts action = "SCRIPT FLUSH"
)

// odds is how often each of them comes.
var odds = []struct {
	action action
	weight int
	least  time.Duration // how long it lasts
	most   time.Duration
}{
	{killWorker, 20, 0, 0},
	{stopWorker, 10, lease / 4, 2 * lease},
	{termWorker, 5, 0, 0},
	{startWorker, 8, 0, 0},
	{cut, 15, 0, 0},
	{cutAll, 6, 0, 0},
	{refuse, 6, lease / 8, 2 * lease},
	{freeze, 6, lease / 8, 2 * lease},
	{deafen, 5, lease / 2, 2 * lease},
	{lose, 8, lease / 2, 2 * lease},
	{killRedis, 5, 0, lease},
	{stopRedis, 3, lease / 8, lease},
	{flushScripts, 3, 0, 0},
}

// step is one action, at a time since the beginning.
type step struct {
	at     time.Duration
	action action
	who    int // from 0 to 1000, of those that it may be done to
	lasts  time.Duration
	seed   uint64
}

const meanPause = 300 * time.Millisecond // between steps

// plan is what a seed has in mind. It never ends.
func plan(seed uint64) iter.Seq[step] {
	total := 0
	for _, o := range odds {
		total += o.weight
	}
	return func(yield func(step) bool) {
		rng := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // It has to be reproducible.
		at := time.Duration(0)
		for {
			at += time.Duration(rng.ExpFloat64() * float64(meanPause))
			s := step{at: at, who: rng.IntN(1000), seed: rng.Uint64()}
			n, long := rng.IntN(total), rng.Float64()
			for _, o := range odds {
				if n -= o.weight; n < 0 {
					s.action, s.lasts = o.action, o.least+time.Duration(long*float64(o.most-o.least))
					break
				}
			}
			if !yield(s) {
				return
			}
		}
	}
}

// jobSpec is a job that a master is to run.
type jobSpec struct {
	Job      uint64
	N        int
	Workers  bool // EachWorker, rather than EachElem
	Stream   bool // the results as they come, rather than in their order
	Chunk    int  // 0: what is best
	Priority int
}

// jobs are those of one seat of a master, one after the other. They never end.
func jobs(seed uint64, seat int) iter.Seq[jobSpec] {
	return func(yield func(jobSpec) bool) {
		rng := rand.New(rand.NewPCG(seed, uint64(1+seat))) //nolint:gosec // As above.
		for {
			size := []int{1, 100, 3000, 12000}[rng.IntN(4)]
			spec := jobSpec{Job: rng.Uint64(), N: size + rng.IntN(size), Priority: 1 + rng.IntN(3)}
			spec.Chunk = []int{0, 0, 0, 1 + rng.IntN(20)}[rng.IntN(4)]
			spec.Workers, spec.Stream = rng.IntN(6) == 0, rng.IntN(3) == 0
			if !yield(spec) {
				return
			}
		}
	}
}

// first takes some values of what never ends.
func first[T any](n int, all iter.Seq[T]) []T {
	next, stop := iter.Pull(all)
	defer stop()
	var some []T
	for range n {
		v, _ := next()
		some = append(some, v)
	}
	return some
}

func TestPlanIsThatOfItsSeed(t *testing.T) {
	const n = 500
	seven := first(n, plan(7))
	if !slices.Equal(seven, first(n, plan(7))) {
		t.Error("the same seed has two plans")
	}
	if slices.Equal(seven, first(n, plan(8))) {
		t.Error("two seeds have the same plan")
	}
	if !slices.Equal(first(n, jobs(7, 1)), first(n, jobs(7, 1))) {
		t.Error("the same seed has different jobs")
	}
	if slices.Equal(first(n, jobs(7, 1)), first(n, jobs(7, 2))) {
		t.Error("two seats have the same jobs")
	}
	done := map[action]bool{}
	for _, s := range seven {
		done[s.action] = true
	}
	for _, o := range odds {
		if !done[o.action] {
			t.Errorf("there is no %q among %d steps", o.action, n)
		}
	}
}

func (s step) String() string { return fmt.Sprintf("%7.3f s: %s", s.at.Seconds(), s.action) }
