package sleigh_test

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// TestS4WorkerPaused stops a worker until its lease has run out, so that another one gets its element, and then lets it go
// on: both run the element at the same time, and one result counts.
func TestS4WorkerPaused(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(2), Lease: 500 * time.Millisecond})
		ended := make(chan error, 1)
		var told []int
		go func() {
			got, err := wait.EachElem(testContext(t), s, upTo(1), &sleigh.JobOptions{OnDone: func(done int) { told = append(told, done) }})
			if !slices.Equal(got, []int{0}) {
				t.Errorf("got %v", got)
			}
			ended <- err
		}()
		one := fetch[visit](t, s.User(), "begun")
		kill(t, one.PID, syscall.SIGSTOP)
		other := fetch[visit](t, s.User(), "begun")
		if one.Rank == other.Rank || one.PID == other.PID {
			t.Errorf("after %+v comes %+v", one, other)
		}
		kill(t, one.PID, syscall.SIGCONT)
		openGate(t, s.User())
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if !slices.Equal(told, []int{1}) {
			t.Errorf("OnDone was called with %v", told)
		}
		// Both are there still, and do not mix up what is left of the first job with another one.
		got, err := square.EachElem(testContext(t), s, upTo(500), nil)
		wantSquares(t, got, err, 500)
		if ranks, err := meet.EachWorker(testContext(t), s, "after"); err != nil || !slices.Equal(ranks, []int{0, 1}) {
			t.Errorf("got %v, %v", ranks, err)
		}
		for rank := range 2 {
			if pid := pidOf(t, rdb, s, rank); pid != one.PID && pid != other.PID {
				t.Errorf("the worker of rank %d was replaced", rank)
			}
		}
	})
}

// TestS4AllPaused stops all workers for longer than their lease, and then lets them go on.
func TestS4AllPaused(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "local://"), &sleigh.Options{Launch: sleigh.Local(2), Lease: 200 * time.Millisecond})
	ended := make(chan error, 1)
	go func() {
		got, err := wait.EachElem(testContext(t), s, upTo(50), nil)
		if !slices.Equal(got, slices.Collect(upTo(50))) {
			t.Errorf("got %v", got)
		}
		ended <- err
	}()
	one, other := fetch[visit](t, s.User(), "begun"), fetch[visit](t, s.User(), "begun")
	for _, pid := range []int{one.PID, other.PID} {
		kill(t, pid, syscall.SIGSTOP)
	}
	<-time.After(400 * time.Millisecond) // no matter what the lease does meanwhile
	openGate(t, s.User())
	for _, pid := range []int{one.PID, other.PID} {
		kill(t, pid, syscall.SIGCONT)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
