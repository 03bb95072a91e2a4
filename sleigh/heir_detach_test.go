package sleigh_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// TestS13DetachWhenDone detaches, twice, from a job all of whose elements are done, and whose results nobody has asked for.
func TestS13DetachWhenDone(t *testing.T) {
	t.Parallel()
	_, _, master := heirs(t, "mem://", 2)
	const n = 100
	job, err := square.Submit(testContext(t), master(), upTo(n), &sleigh.JobOptions{Name: "done"})
	if err != nil {
		t.Fatal(err)
	}
	awaitDone(t, job.Check, n)
	time.Sleep(300 * time.Millisecond) // longer than it takes to tell Redis what was used
	for range 2 {
		if err := job.Detach(testContext(t)); err != nil {
			t.Fatalf("Detach: %v", err)
		}
	}
	again, err := square.Attach(testContext(t), master(), "done", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := again.Wait(testContext(t))
	wantSquares(t, got, err, n)
}

// TestS13DetachEmpty detaches from a job of no elements, and asks twice for the results of one.
func TestS13DetachEmpty(t *testing.T) {
	t.Parallel()
	_, _, master := heirs(t, "mem://", 1)
	s := master()
	job, err := square.Submit(testContext(t), s, upTo(0), &sleigh.JobOptions{Name: "empty"})
	if err != nil {
		t.Fatal(err)
	}
	if err := job.Detach(testContext(t)); err != nil {
		t.Error(err)
	}
	for range 2 {
		got, err := square.EachElem(testContext(t), s, upTo(0), &sleigh.JobOptions{Name: "empty 2"})
		if err != nil || len(got) != 0 {
			t.Errorf("EachElem: %v, %v", got, err)
		}
	}
}

// TestS13DetachMeanwhile detaches while Wait and All wait: a job that is detached is not one that has its results.
func TestS13DetachMeanwhile(t *testing.T) {
	t.Parallel()
	_, _, master := heirs(t, "mem://", 0)
	s := master()
	detach := func(job *sleigh.Job[int]) chan struct{} {
		detached := make(chan struct{})
		go func() {
			defer close(detached)
			_ = job.Detach(testContext(t)) // what the other one is told is what matters
		}()
		return detached
	}
	job, err := square.Submit(testContext(t), s, upTo(50), &sleigh.JobOptions{Name: "wait"})
	if err != nil {
		t.Fatal(err)
	}
	detached := detach(job)
	if got, err := job.Wait(within(t, 10*time.Second)); err == nil {
		t.Errorf("Wait of a detached job: %d results, without an error", len(got))
	}
	<-detached
	job, err = square.Submit(testContext(t), s, upTo(50), &sleigh.JobOptions{Name: "all"})
	if err != nil {
		t.Fatal(err)
	}
	detached = detach(job)
	n := 0
	for _, err = range job.All(within(t, 10*time.Second)) {
		n++
	}
	if err == nil {
		t.Errorf("All of a detached job: %d results, without an error", n)
	}
	<-detached
}

// TestS13DetachGivenUp gives Detach up while elements are still to come: the job stays as it was.
func TestS13DetachGivenUp(t *testing.T) {
	t.Parallel()
	_, _, master := heirs(t, "mem://", 2)
	more := make(chan struct{})
	job, err := square.Submit(testContext(t), master(), func(yield func(int) bool) {
		for i := range 50 {
			if i == 20 {
				<-more
			}
			if !yield(i) {
				return
			}
		}
	}, &sleigh.JobOptions{Name: "given up", Chunk: 1})
	if err != nil {
		t.Fatal(err)
	}
	err = job.Detach(within(t, 500*time.Millisecond))
	close(more)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Detach: %v", err)
	}
	got, err := job.Wait(testContext(t))
	wantSquares(t, got, err, 50)
}

// TestS13CancelAfterTiny has less than a millisecond to pass before a job without a master is cancelled. It is not never.
func TestS13CancelAfterTiny(t *testing.T) {
	t.Parallel()
	_, _, master := heirs(t, "mem://", 0)
	s := master()
	job, err := square.Submit(testContext(t), s, upTo(10), &sleigh.JobOptions{Name: "tiny", CancelAfter: 500 * time.Microsecond})
	if err == nil {
		err = job.Detach(testContext(t))
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is cancelled", func() bool {
		all, err := s.Finished(testContext(t))
		return err == nil && len(all) == 1 && all[0].Outcome == sleigh.Cancelled
	})
}
