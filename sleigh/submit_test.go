package sleigh_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// moody fails for each element divisible by 7, as long as it has not failed so many times as the variable "moods" says.
var moody = sleigh.Register("moody", func(ctx context.Context, x int) (int, error) {
	if x%7 != 0 {
		return x * x, nil
	}
	user := sleigh.WorkerFrom(ctx).User()
	if ok, err := user.TryFetch(ctx, "moods", new(bool)); ok || err != nil {
		return 0, errors.Join(errors.New("in a bad mood"), err)
	}
	return x * x, nil
})

// TestS9Submit has a job go on by itself.
func TestS9Submit(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		ctx := testContext(t)
		job, err := wait.Submit(ctx, s, upTo(20), nil)
		if err != nil {
			t.Fatal(err)
		}
		fetch[visit](t, s.User(), "begun")
		if p := job.Check(); p.Done != 0 || p.Submitted == 0 {
			t.Errorf("it is at %+v", p)
		}
		quick, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := job.Wait(quick); !errors.Is(err, context.Canceled) {
			t.Errorf("Wait whose context has ended: %v", err)
		}
		openGate(t, s.User())
		got, err := job.Wait(ctx)
		if err != nil || len(got) != 20 {
			t.Errorf("%d results, %v", len(got), err)
		}
		if p := job.Check(); p != (sleigh.JobProgress{Submitted: 20, Done: 20, All: true}) {
			t.Errorf("it is at %+v", p)
		}
		if _, err := job.Wait(ctx); !errors.Is(err, sleigh.ErrGathered) {
			t.Errorf("the second Wait: %v", err)
		}
		for _, err := range job.All(ctx) {
			if !errors.Is(err, sleigh.ErrGathered) {
				t.Errorf("All after Wait: %v", err)
			}
		}
	})
}

// TestS9All streams results, in the order of the elements or not, through loops that are left and taken up again.
func TestS9All(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		for _, ordered := range []bool{false, true} {
			const n = 3000
			job, err := hundredth.Submit(testContext(t), s, upTo(n), &sleigh.JobOptions{Ordered: ordered})
			if err != nil {
				t.Fatal(err)
			}
			var got, failed []int
			for len(got)+len(failed) < n {
				some := 0
				for d, err := range job.All(testContext(t)) {
					var one *sleigh.TaskError
					switch {
					case errors.As(err, &one) && one.Index == d.Index:
						failed = append(failed, d.Index)
					case err != nil:
						t.Fatal(err)
					case d.Value != d.Index*d.Index:
						t.Errorf("element %d gave %d", d.Index, d.Value)
					default:
						got = append(got, d.Index)
					}
					if some++; some == 1000 {
						break
					}
				}
			}
			if ordered && !slices.IsSorted(got) {
				t.Error("the results did not come in order")
			}
			slices.Sort(got)
			slices.Sort(failed)
			if len(slices.Compact(got)) != n-len(failed) || len(slices.Compact(failed)) != n/100 {
				t.Errorf("%d results and %d failures came", len(got), len(failed))
			}
			for d, err := range job.All(testContext(t)) {
				t.Errorf("after the end: %v, %v", d, err)
			}
		}
	})
}

// hundredth fails for each hundredth element.
var hundredth = sleigh.Register("hundredth", func(_ context.Context, x int) (int, error) {
	if x%100 == 0 {
		return 0, errors.New("not this one")
	}
	return x * x, nil
})

// TestS9Cancel ends a job, whose functions hear of it.
func TestS9Cancel(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		job, err := wait.Submit(testContext(t), s, upTo(100), nil)
		if err != nil {
			t.Fatal(err)
		}
		fetch[visit](t, s.User(), "begun")
		job.Cancel()
		if _, err := job.Wait(testContext(t)); !errors.Is(err, sleigh.ErrEnded) {
			t.Errorf("Wait: %v", err)
		}
		got, err := square.EachElem(testContext(t), s, upTo(10), nil) // the team is free again, though the gate is shut
		wantSquares(t, got, err, 10)
	})
}

// TestS9AllLeft leaves a loop of All for good, while far more results come than are kept.
func TestS9AllLeft(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		job, err := square.Submit(testContext(t), s, upTo(100_000), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range job.All(testContext(t)) {
			if err != nil {
				t.Error(err)
			}
			break
		}
		if p := job.Check(); p.Done == 100_000 {
			t.Errorf("nothing held it back: %+v", p)
		}
		job.Cancel()
		for _, err := range job.All(testContext(t)) {
			if err != nil && !errors.Is(err, sleigh.ErrEnded) {
				t.Error(err)
			}
		}
	})
}

// TestS9Occupied has the exclusive mode of the original as an option.
func TestS9Occupied(t *testing.T) {
	t.Parallel()
	onTeams(t, 1, func(t *testing.T, s *sleigh.Sleigh) {
		ctx := testContext(t)
		job, err := wait.Submit(ctx, s, upTo(1), &sleigh.JobOptions{Exclusive: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := square.Submit(ctx, s, upTo(1), nil); !errors.Is(err, sleigh.ErrOccupied) {
			t.Errorf("beside an exclusive one: %v", err)
		}
		openGate(t, s.User())
		if _, err := job.Wait(ctx); err != nil {
			t.Error(err)
		}
		if _, err := square.EachElem(ctx, s, upTo(1), &sleigh.JobOptions{Exclusive: true}); err != nil {
			t.Errorf("after it: %v", err)
		}
	})
}

// TestS10Attempts tries elements again that have failed.
func TestS10Attempts(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		moods := make([]any, 10)
		for i := range moods {
			moods[i] = true
		}
		if err := s.User().StoreAll(testContext(t), "moods", moods...); err != nil {
			t.Fatal(err)
		}
		got, err := moody.EachElem(testContext(t), s, upTo(100), &sleigh.JobOptions{Attempts: 12, Backoff: time.Millisecond})
		wantSquares(t, got, err, 100)
	})
}

// TestS10RetryFailed runs those that have failed once more.
func TestS10RetryFailed(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		ctx := testContext(t)
		if err := s.User().StoreAll(ctx, "moods", true, true, true); err != nil {
			t.Fatal(err)
		}
		job, err := moody.Submit(ctx, s, upTo(100), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = job.Wait(ctx)
		var failed sleigh.TaskErrors
		if !errors.As(err, &failed) || len(failed) != 3 {
			t.Fatalf("Wait: %v", err)
		}
		again, err := job.RetryFailed(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got, err := again.Wait(ctx)
		wantSquares(t, got, err, 100)
		if p := again.Check(); p != (sleigh.JobProgress{Submitted: 3, Done: 3, All: true}) {
			t.Errorf("%+v", p)
		}
	})
}

// TestS10RetryFailedOrdered streams those that are run once more in their order: it has no first element, and gaps.
func TestS10RetryFailedOrdered(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		ctx := testContext(t)
		if err := s.User().StoreAll(ctx, "moods", true, true, true, true); err != nil {
			t.Fatal(err)
		}
		elems := slices.Values([]int{1, 7, 2, 14, 3, 21, 4, 28})
		job, err := moody.Submit(ctx, s, elems, &sleigh.JobOptions{Ordered: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := job.Wait(ctx); err == nil {
			t.Fatal("none failed")
		}
		again, err := job.RetryFailed(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for r, err := range again.All(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r.Index)
		}
		if !slices.Equal(got, []int{1, 3, 5, 7}) {
			t.Errorf("got %v", got)
		}
	})
}

// TestS10StopAtError ends a job with its first failure.
func TestS10StopAtError(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		pulled := 0
		var endless iter.Seq[int] = func(yield func(int) bool) {
			for yield(pulled) {
				pulled++
			}
		}
		_, err := hundredth.EachElem(testContext(t), s, endless, &sleigh.JobOptions{StopAtError: true})
		var failed sleigh.TaskErrors
		if !errors.As(err, &failed) || len(failed) == 0 {
			t.Errorf("got %v", err)
		}
	})
}

// TestS7Accumulate hands results over as they come.
func TestS7Accumulate(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		for _, ordered := range []bool{false, true} {
			var got []int
			err := hundredth.Accumulate(testContext(t), s, upTo(1000), &sleigh.JobOptions{Ordered: ordered}, func(i, value int) error {
				if value != i*i {
					t.Errorf("element %d gave %d", i, value)
				}
				got = append(got, i)
				return nil
			})
			var failed sleigh.TaskErrors
			if !errors.As(err, &failed) || len(failed) != 10 {
				t.Errorf("got %v", err)
			}
			if ordered && !slices.IsSorted(got) {
				t.Error("the results did not come in order")
			}
			slices.Sort(got)
			if len(got) != 990 || len(slices.Compact(got)) != 990 {
				t.Errorf("%d results came", len(got))
			}
		}
	})
}

// TestS10AccumulatorFails stops the call with the error of its own.
func TestS10AccumulatorFails(t *testing.T) {
	t.Parallel()
	onTeams(t, 1, func(t *testing.T, s *sleigh.Sleigh) {
		full := errors.New("the disk is full")
		n := 0
		err := square.Accumulate(testContext(t), s, upTo(1000), nil, func(int, int) error {
			if n++; n == 10 {
				return full
			}
			return nil
		})
		if !errors.Is(err, full) || n != 10 {
			t.Errorf("%v after %d results", err, n)
		}
	})
}
