package sleigh_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// onLastingTeams runs a test on a team that lasts, of two workers that stay, on all backends. master makes another master.
func onLastingTeams(t *testing.T, test func(t *testing.T, master func() *sleigh.Sleigh)) {
	t.Helper()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		name := "team " + t.Name()[len("Test"):len(t.Name())-len("/redis")]
		disband(t, rdb, name)
		join(t, rdb, name, &sleigh.Options{Launch: sleigh.InProcess(2), Lease: time.Second})
		test(t, func() *sleigh.Sleigh { return join(t, rdb, name, nil) })
	})
}

// TestS13SecondMaster has a master stop in the middle of a job that accumulates. The next one goes on, with the same elements.
func TestS13SecondMaster(t *testing.T) {
	t.Parallel()
	onLastingTeams(t, func(t *testing.T, master func() *sleigh.Sleigh) {
		const n = 3000
		o := &sleigh.JobOptions{Name: "sum", Chunk: 10}
		seen := map[int]int{}
		for leg, until := range []int{700, 1800, n} {
			s := master()
			ctx, cancel := context.WithCancelCause(testContext(t))
			here := 0
			err := square.Accumulate(ctx, s, upTo(n), o, func(i, v int) error {
				if v != i*i {
					t.Errorf("element %d gives %d", i, v)
				}
				seen[i]++
				if here++; len(seen) == until && until < n {
					cancel(errEnough)
				}
				return nil
			})
			if until < n && !errors.Is(err, errEnough) || until == n && err != nil {
				t.Fatalf("leg %d: %v", leg, err)
			}
			if err := s.Stop(testContext(t)); err != nil {
				t.Fatal(err)
			}
		}
		if len(seen) != n {
			t.Errorf("%d elements were given", len(seen))
		}
		for i, times := range seen {
			if times != 1 {
				t.Errorf("element %d was given %d times", i, times)
			}
		}
		s := master()
		if err := square.Accumulate(testContext(t), s, upTo(n), o, nil); !errors.Is(err, sleigh.ErrFinished) {
			t.Errorf("once more: %v", err)
		}
		if _, err := square.Attach(testContext(t), s, "sum", nil); !errors.Is(err, sleigh.ErrFinished) {
			t.Errorf("Attach when it has finished: %v", err)
		}
		all, err := s.Finished(testContext(t))
		if err != nil || len(all) != 1 || all[0].Name != "sum" || all[0].Done != n || all[0].Outcome != sleigh.Finished {
			t.Errorf("finished are %+v, %v", all, err)
		}
	})
}

var errEnough = errors.New("enough")

// TestS13Detach submits a job and goes away; another master attaches to it.
func TestS13Detach(t *testing.T) {
	t.Parallel()
	onLastingTeams(t, func(t *testing.T, master func() *sleigh.Sleigh) {
		ctx := testContext(t)
		s := master()
		job, err := square.Submit(ctx, s, upTo(2000), &sleigh.JobOptions{Name: "away", Chunk: 7})
		if err != nil {
			t.Fatal(err)
		}
		if err := job.Detach(ctx); err != nil {
			t.Fatal(err)
		}
		if err := s.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		other := master()
		if _, err := square.Attach(ctx, other, "nothing", nil); !errors.Is(err, sleigh.ErrNoJob) {
			t.Errorf("Attach to nothing: %v", err)
		}
		job, err = square.Attach(ctx, other, "away", nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := job.Wait(ctx)
		wantSquares(t, got, err, 2000)
		// Wait had the results, and so they are kept.
		again, err := square.EachElem(ctx, master(), upTo(2000), &sleigh.JobOptions{Name: "away", Chunk: 7})
		wantSquares(t, again, err, 2000)
	})
}

// TestS13Held has two masters want a job at once: one gets it, the other is told who has it.
func TestS13Held(t *testing.T) {
	t.Parallel()
	onLastingTeams(t, func(t *testing.T, master func() *sleigh.Sleigh) {
		ctx := testContext(t)
		first, second := master(), master()
		job, err := wait.Submit(ctx, first, upTo(20), &sleigh.JobOptions{Name: "one"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = wait.Attach(ctx, second, "one", nil)
		held, ok := errors.AsType[*sleigh.HeldError](err)
		if !ok || held.Master.PID == 0 || held.Master.Host == "" || strings.Count(err.Error(), "sleigh: ") != 1 {
			t.Errorf("the second one: %v", err)
		}
		if _, err := square.Attach(ctx, second, "one", nil); err == nil {
			t.Error("another function attached")
		}
		openGate(t, first.User())
		for _, err := range job.All(ctx) {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestS13All gives what All's loop has not used to the next master, and the failures of both.
func TestS13All(t *testing.T) {
	t.Parallel()
	onLastingTeams(t, func(t *testing.T, master func() *sleigh.Sleigh) {
		ctx := testContext(t)
		elems := slices.Repeat([]string{"fine", "error"}, 100)
		s := master()
		job, err := misbehave.Submit(ctx, s, slices.Values(elems), &sleigh.JobOptions{Name: "some fail", Chunk: 3})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int]bool{}
		for r, err := range job.All(ctx) {
			if seen[r.Index] = true; (err != nil) != (r.Index%2 == 1) {
				t.Errorf("element %d: %v", r.Index, err)
			}
			if len(seen) == 77 {
				break
			}
		}
		if err := s.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		job, err = misbehave.Submit(ctx, master(), slices.Values(elems), &sleigh.JobOptions{Name: "some fail", Chunk: 3})
		if err != nil {
			t.Fatal(err)
		}
		twice := 0
		for r, err := range job.All(ctx) {
			if seen[r.Index] && err == nil {
				twice++
			}
			seen[r.Index] = true
		}
		if len(seen) != len(elems) || twice > 1 { // that which the loop broke off with counts as not used
			t.Errorf("%d of %d elements, %d twice", len(seen), len(elems), twice)
		}
		if failed := job.Failed(); len(failed) != 100 {
			t.Errorf("%d elements failed", len(failed))
		}
	})
}

// TestS13WithoutMaster has masters go away from jobs that are to pause, to be cancelled, and to go on then; and from one that
// has no name.
func TestS13WithoutMaster(t *testing.T) {
	t.Parallel()
	onLastingTeams(t, func(t *testing.T, master func() *sleigh.Sleigh) {
		ctx := testContext(t)
		watcher, s := master(), master()
		openGate(t, watcher.User())
		for name, o := range map[string]*sleigh.JobOptions{
			"pauses": {Pause: true}, "ends": {CancelAfter: 10 * time.Millisecond}, "goes on": {},
		} {
			o.Name, o.Chunk, o.LoadFactor = name, 1, 1
			job, err := square.Submit(ctx, s, endless(ctx), o)
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "it is under way", func() bool { return job.Check().Done > 10 })
		}
		if err := s.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		eventually(t, "one is cancelled", func() bool {
			all, err := watcher.Finished(ctx)
			return err == nil && len(all) == 1 && all[0].Name == "ends" && all[0].Outcome == sleigh.Cancelled && all[0].Done > 10
		})
		eventually(t, "one pauses, one goes on until Redis has no more of it", func() bool {
			at := map[string]sleigh.JobStatus{}
			for _, j := range statusOf(t, watcher).Jobs {
				at[j.Name] = j
			}
			paused, on := at["pauses"], at["goes on"]
			return len(at) == 2 && paused.Queued == 0 && paused.Claimed == 0 && on.Done == on.Submitted
		})
		if _, err := square.Attach(ctx, watcher, "ends", nil); !errors.Is(err, sleigh.ErrNoJob) {
			t.Errorf("Attach to the one that was cancelled: %v", err)
		}
		job, err := square.Attach(ctx, watcher, "pauses", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := job.Wait(ctx); !errors.Is(err, sleigh.ErrIncomplete) {
			t.Errorf("a job whose elements were not all handed out ends by %v", err)
		}
	})
}

// endless gives elements until ctx ends.
func endless(ctx context.Context) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := range math.MaxInt {
			if ctx.Err() != nil || !yield(i) {
				return
			}
		}
	}
}

// TestS13FailuresLast has the loop of a master that dies take but one of many failures: the next one gets the others.
func TestS13FailuresLast(t *testing.T) {
	t.Parallel()
	onLastingTeams(t, func(t *testing.T, master func() *sleigh.Sleigh) {
		ctx := testContext(t)
		elems := slices.Repeat([]string{"error"}, 100)
		s := master()
		job, err := misbehave.Submit(ctx, s, slices.Values(elems), &sleigh.JobOptions{Name: "all fail", Chunk: 3})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "all are done", func() bool { return job.Check().Done == len(elems) })
		seen := map[int]bool{}
		for r, err := range job.All(ctx) {
			if err == nil {
				t.Errorf("element %d has not failed", r.Index)
			}
			if seen[r.Index] = true; len(seen) == 2 { // the second one counts as not used
				break
			}
		}
		if err := s.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		job, err = misbehave.Submit(ctx, master(), slices.Values(elems), &sleigh.JobOptions{Name: "all fail", Chunk: 3})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for r, err := range job.All(ctx) {
			if n++; err == nil {
				t.Errorf("element %d has not failed", r.Index)
			}
			seen[r.Index] = true
		}
		if n != len(elems)-1 || len(seen) != len(elems) || len(job.Failed()) != len(elems) {
			t.Errorf("%d came, %d in all; %d have failed", n, len(seen), len(job.Failed()))
		}
	})
}
