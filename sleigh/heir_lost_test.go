package sleigh_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// TestS13LostBetween has Redis lose tasks while a job has no master. The next one knows the elements, or says that it does not.
func TestS13LostBetween(t *testing.T) {
	t.Parallel()
	rdb, name, master := heirs(t, "mem://", 0)
	s := master()
	job, err := square.Submit(testContext(t), s, upTo(300), &sleigh.JobOptions{Name: "l", Chunk: 4})
	if err == nil {
		err = job.Detach(testContext(t))
	}
	if err != nil {
		t.Fatal(err)
	}
	rdb.Redis().LTrim(t.Context(), "nws:{"+name+"}:values:backlog:"+job.ID(), 5, -6)
	rdb.Redis().LTrim(t.Context(), "nws:{"+name+"}:values:task", 1, -1)
	join(t, rdb, name, &sleigh.Options{Launch: sleigh.InProcess(2)})
	again, err := square.Attach(testContext(t), s, "l", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Wait(testContext(t)); !errors.Is(err, sleigh.ErrIncomplete) {
		t.Errorf("Attach, which does not know them: %v", err)
	}
	got, err := square.EachElem(testContext(t), master(), upTo(300), &sleigh.JobOptions{Name: "l", Chunk: 5})
	wantSquares(t, got, err, 300)
}

// TestS13AttachedLost has Redis lose a task that has waited for long in a job that was attached to. Nobody knows the element.
func TestS13AttachedLost(t *testing.T) {
	if brief() {
		return
	}
	t.Parallel()
	rdb, name, master := heirs(t, "mem://", 2)
	busy := master()
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	occupied, err := wait.Submit(ctx, busy, upTo(2), &sleigh.JobOptions{Chunk: 1})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		fetch[visit](t, busy.User(), "begun")
	}
	s := master()
	job, err := square.Submit(testContext(t), s, upTo(1), &sleigh.JobOptions{Name: "one"})
	if err == nil {
		err = job.Detach(testContext(t))
	}
	if err == nil {
		job, err = square.Attach(testContext(t), s, "one", nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Second) // it counts as late
	rdb.Redis().Del(t.Context(), "nws:{"+name+"}:values:task", "nws:{"+name+"}:values:backlog:"+job.ID())
	if _, err := job.Wait(testContext(t)); !errors.Is(err, sleigh.ErrIncomplete) {
		t.Errorf("Wait: %v", err)
	}
	occupied.Cancel()
	openGate(t, busy.User())
}

// TestS13ReadLost has a failover lose the last results, which the master has read before.
func TestS13ReadLost(t *testing.T) {
	if brief() {
		return
	}
	t.Parallel()
	for _, named := range []string{"", "named"} {
		t.Run("job "+named, func(t *testing.T) {
			t.Parallel()
			rdb := open(t, "mem://")
			name := "read lost " + named
			disband(t, rdb, name)
			s := join(t, rdb, name, &sleigh.Options{Launch: sleigh.InProcess(1), Lease: time.Second})
			more := make(chan struct{})
			job, err := square.Submit(testContext(t), s, func(yield func(int) bool) {
				for i := range 40 {
					if i == 20 {
						<-more
					}
					if !yield(i) {
						return
					}
				}
			}, &sleigh.JobOptions{Name: named, Chunk: 1})
			if err != nil {
				close(more)
				t.Fatal(err)
			}
			awaitDone(t, job.Check, 20)
			for range 5 {
				rdb.Redis().RPop(t.Context(), "nws:{"+name+"}:values:result:"+job.ID())
			}
			close(more)
			got, err := job.Wait(testContext(t))
			wantSquares(t, got, err, 40)
		})
	}
}
