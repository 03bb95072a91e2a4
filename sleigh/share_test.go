package sleigh_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// step waits until the test lets it go on, and tells which job it belongs to.
var step = sleigh.Register("step", func(ctx context.Context, job string) (string, error) {
	user := sleigh.WorkerFrom(ctx).User()
	if err := user.Fetch(ctx, "go", new(bool)); err != nil {
		return "", err
	}
	return job, user.Store(ctx, "ran", job)
})

// TestS9FairShare has a job that comes later get its share at once, by its priority, though another one has far more tasks.
func TestS9FairShare(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ priority, least, most int }{{1, 40, 60}, {3, 65, 85}} {
		t.Run(fmt.Sprint("priority", tt.priority), func(t *testing.T) {
			t.Parallel()
			onBackends(t, func(t *testing.T, rdb *redisx.Client) {
				s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(1), Slots: 2})
				ctx := testContext(t)
				jobs := map[string]*sleigh.Job[string]{}
				for _, name := range []string{"early", "late"} {
					o := &sleigh.JobOptions{Chunk: 1, LoadFactor: 5, NoCopies: true}
					if name == "late" {
						o.Priority = tt.priority
					}
					elems := func(yield func(string) bool) {
						for range 1000 {
							if !yield(name) {
								return
							}
						}
					}
					job, err := step.Submit(ctx, s, elems, o)
					if err != nil {
						t.Fatal(err)
					}
					jobs[name] = job
					eventually(t, name+" is handed out", func() bool { return job.Check().Submitted >= 10*max(o.Priority, 1) })
				}
				counts := map[string]int{}
				for i := range 150 {
					if err := s.User().Store(ctx, "go", true); err != nil {
						t.Fatal(err)
					}
					if ran := fetch[string](t, s.User(), "ran"); i >= 50 { // what was there first, goes first
						counts[ran]++
					}
				}
				if counts["late"] < tt.least || counts["late"] > tt.most {
					t.Errorf("of 100 tasks these ran: %v", counts)
				}
				for _, job := range jobs {
					job.Cancel()
					if _, err := job.Wait(ctx); !errors.Is(err, sleigh.ErrEnded) {
						t.Error(err)
					}
				}
			})
		})
	}
}

// slowly takes its time, and heeds its context.
var slowly = sleigh.Register("slowly", func(ctx context.Context, pause time.Duration) (string, error) {
	select {
	case <-time.After(pause):
		return "done", nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
})

// TestTimeout ends the context of a function for one element, and no other.
func TestTimeout(t *testing.T) {
	t.Parallel()
	onTeams(t, 1, func(t *testing.T, s *sleigh.Sleigh) {
		elems := func(yield func(time.Duration) bool) {
			_ = yield(0) && yield(time.Hour) && yield(0)
		}
		got, err := slowly.EachElem(testContext(t), s, elems, &sleigh.JobOptions{Timeout: 100 * time.Millisecond, Chunk: 3})
		var failed sleigh.TaskErrors
		if !errors.As(err, &failed) || len(failed) != 1 || len(got) != 3 || got[0] != "done" || got[2] != "done" {
			t.Fatalf("%v, %v", got, err)
		}
		wantFailure(t, failed[0], 1, "its timeout of 100ms is over")
	})
}

// TestSlots has one worker run several tasks at a time, which need each other.
func TestSlots(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(1), Slots: 4})
		job, err := wait.Submit(testContext(t), s, upTo(4), &sleigh.JobOptions{Chunk: 1})
		if err != nil {
			t.Fatal(err)
		}
		pids := map[int]bool{}
		for range 4 {
			pids[fetch[visit](t, s.User(), "begun").PID] = true
		}
		openGate(t, s.User())
		if _, err := job.Wait(testContext(t)); err != nil || len(pids) != 1 {
			t.Errorf("%v ran it, %v", pids, err)
		}
	})
}

// Bad options are refused, with their names.
func TestBadOptions(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.InProcess(1)})
	for name, o := range map[string]sleigh.JobOptions{
		"Chunk": {Chunk: -1}, "Attempts": {Attempts: -1}, "Priority": {Priority: -2}, "LoadFactor": {LoadFactor: -1},
		"LoadBytes": {LoadBytes: -1}, "Timeout": {Timeout: -1}, "Backoff": {Backoff: -1}, "lease": {Lease: time.Millisecond},
	} {
		_, err := square.EachElem(testContext(t), s, upTo(1), &o)
		if err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// TestThousand has a thousand tasks run at the same time, in 20 workers of 50 slots and in a thousand workers.
func TestThousand(t *testing.T) {
	t.Parallel()
	needRedisServer(t)
	const n = 1000
	teams := []int{20, n}
	if brief() {
		teams = []int{20, 200}
	}
	for _, workers := range teams {
		t.Run(strconv.Itoa(workers), func(t *testing.T) {
			s := start(t, open(t, "local://"), &sleigh.Options{Launch: sleigh.InProcess(workers), Slots: n / workers})
			job, err := wait.Submit(testContext(t), s, upTo(n), &sleigh.JobOptions{Chunk: 1})
			if err != nil {
				t.Fatal(err)
			}
			ranks := map[int]int{}
			for range n {
				ranks[fetch[visit](t, s.User(), "begun").Rank]++
			}
			for rank := range workers {
				if ranks[rank] != n/workers {
					t.Errorf("worker %d ran %d at a time", rank, ranks[rank])
				}
			}
			openGate(t, s.User())
			if got, err := job.Wait(testContext(t)); err != nil || len(got) != n {
				t.Errorf("%d results, %v", len(got), err)
			}
		})
	}
}
