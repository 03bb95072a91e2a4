package sleigh_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// TestS13RetryFailed runs what has failed of a job with a name once more, after Wait and after All.
func TestS13RetryFailed(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"wait", "all"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			_, _, master := heirs(t, "mem://", 2)
			elems := slices.Repeat([]string{"fine", "error"}, 20)
			job, err := misbehave.Submit(testContext(t), master(), slices.Values(elems), &sleigh.JobOptions{Name: "again", Chunk: 3})
			if err != nil {
				t.Fatal(err)
			}
			if how == "wait" {
				_, err = job.Wait(testContext(t))
				if failed, ok := errors.AsType[sleigh.TaskErrors](err); !ok || len(failed) != 20 {
					t.Errorf("Wait: %v", err)
				}
			} else {
				failed := 0
				for _, err := range job.All(testContext(t)) {
					if err != nil {
						failed++
					}
				}
				if failed != 20 {
					t.Errorf("All gives %d failures", failed)
				}
			}
			var again *sleigh.Job[float64]
			eventually(t, "the job has ended", func() bool {
				again, err = job.RetryFailed(testContext(t))
				return err == nil || !strings.Contains(err.Error(), "has not ended")
			})
			if err != nil {
				t.Fatalf("RetryFailed: %v", err)
			}
			got, err := again.Wait(testContext(t))
			if failed, ok := errors.AsType[sleigh.TaskErrors](err); !ok || len(failed) != 20 {
				t.Errorf("%d results, %v", len(got), err)
			}
		})
	}
}

// TestS13AttemptsLast changes masters while elements fail: each is tried as often as was asked for, but for an attempt that is
// under way when a master leaves.
func TestS13AttemptsLast(t *testing.T) {
	if brief() {
		return
	}
	t.Parallel()
	_, _, master := heirs(t, "mem://", 2)
	const n, attempts, changes = 4, 6, 5
	o := &sleigh.JobOptions{Name: "flaky", Attempts: attempts, Backoff: 100 * time.Millisecond, Chunk: 1}
	for range changes {
		s := master()
		_, err := flaky.EachElem(within(t, 400*time.Millisecond), s, flakyElements(t.Name(), n, 1000), o)
		t.Log(err)
		stopNow(t, s)
	}
	_, err := flaky.EachElem(testContext(t), master(), flakyElements(t.Name(), n, 1000), o)
	if failed, ok := errors.AsType[sleigh.TaskErrors](err); !ok || len(failed) != n {
		t.Error(err)
	}
	for i := range n {
		runs, ran := flakyRuns.Load(fmt.Sprint(t.Name(), " ", i))
		if !ran {
			t.Errorf("element %d was not run", i)
		} else if times := runs.(*atomic.Int64).Load(); times > attempts+changes {
			t.Errorf("element %d was run %d times, %d attempts are allowed", i, times, attempts)
		}
	}
}

// TestS13RetryLost has Redis lose the task of a second attempt. It is handed out again, as that of a first one is.
func TestS13RetryLost(t *testing.T) {
	if brief() {
		return
	}
	t.Parallel()
	for _, job := range []string{"", "named"} {
		t.Run("job "+job, func(t *testing.T) {
			t.Parallel()
			rdb := open(t, "mem://")
			name := "retry lost " + job
			disband(t, rdb, name)
			workers := join(t, rdb, name, &sleigh.Options{Launch: sleigh.InProcess(1), Lease: time.Second})
			s := join(t, rdb, name, nil)
			done := make(chan error, 1)
			go func() {
				_, err := flaky.EachElem(within(t, patience), s, flakyElements(t.Name(), 1, 1),
					&sleigh.JobOptions{Name: job, Attempts: 2, Backoff: 2 * time.Second})
				done <- err
			}()
			eventually(t, "the first attempt", func() bool { _, ran := flakyRuns.Load(t.Name() + " 0"); return ran })
			time.Sleep(300 * time.Millisecond) // the master hears that it failed, and pauses
			stopNow(t, workers)
			task := "nws:{" + name + "}:values:task"
			eventually(t, "the second is handed out", func() bool { return len(keysOf(t, rdb, task)) == 1 })
			rdb.Redis().Del(t.Context(), task)
			join(t, rdb, name, &sleigh.Options{Launch: sleigh.InProcess(1), Lease: time.Second})
			if err := <-done; err != nil {
				t.Errorf("the element whose second attempt was lost: %v", err)
			}
		})
	}
}
