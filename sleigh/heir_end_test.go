package sleigh_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/sleigh"
)

// TestS13LateEnd has sequences end after all their elements are done: the jobs end, too.
func TestS13LateEnd(t *testing.T) {
	t.Parallel()
	// late is a sequence of ten elements that ends when the job has had them, and the options of the job.
	late := func(name string) (func(yield func(int) bool), *sleigh.JobOptions) {
		all := make(chan struct{})
		var once sync.Once
		elems := func(yield func(int) bool) {
			for i := range 10 {
				if !yield(i) {
					return
				}
			}
			<-all
			time.Sleep(20 * time.Millisecond) // the moment is what is tried
		}
		return elems, &sleigh.JobOptions{Name: name, Chunk: 1, OnDone: func(done int) {
			if done == 10 {
				once.Do(func() { close(all) })
			}
		}}
	}
	t.Run("accumulate", func(t *testing.T) {
		t.Parallel()
		rdb, name, master := heirs(t, "mem://", 2)
		s := master()
		for round := range 5 {
			elems, o := late(fmt.Sprint("late ", round))
			if err := square.Accumulate(testContext(t), s, elems, o, func(i, v int) error { return nil }); err != nil {
				t.Fatal(err)
			}
			left := keysOf(t, rdb, "nws:{"+name+"}:values:count:*")
			if all, err := s.Finished(testContext(t)); err != nil || len(left) > 0 || len(all) != round+1 {
				t.Fatalf("round %d: the job has all; there is %v, and finished are %d, %v", round, left, len(all), err)
			}
		}
	})
	t.Run("eachelem", func(t *testing.T) {
		t.Parallel()
		rdb, name, master := heirs(t, "mem://", 2)
		s := master()
		for round := range 5 {
			elems, o := late(fmt.Sprint("late ", round))
			got, err := square.EachElem(testContext(t), s, elems, o)
			wantSquares(t, got, err, 10)
			for _, key := range keysOf(t, rdb, "nws:{"+name+"}:values:master:*") {
				if text := rdb.Redis().LIndex(t.Context(), key, 0).Val(); !strings.Contains(text, "cancelAfter") {
					t.Fatalf("round %d: the results are kept for ever: %s", round, text)
				}
			}
		}
	})
}

// TestS13Ends ends jobs at an error and by Cancel: their names are free again, and how they ended is listed.
func TestS13Ends(t *testing.T) {
	t.Parallel()
	_, _, master := heirs(t, "mem://", 2)
	s := master()
	elems := func(yield func(string) bool) {
		for i := range 100 {
			how := "fine"
			if i == 50 {
				how = "error"
			}
			if !yield(how) {
				return
			}
		}
	}
	for round := range 2 {
		_, err := misbehave.EachElem(testContext(t), s, elems, &sleigh.JobOptions{Name: "stops", StopAtError: true, Chunk: 1})
		if failed, ok := errors.AsType[sleigh.TaskErrors](err); !ok || len(failed) != 1 || failed[0].Index != 50 {
			t.Errorf("round %d: %v", round, err)
		}
	}
	job, err := squareOrWait.Submit(testContext(t), s, heldUpTo(20), &sleigh.JobOptions{Name: "cancelled"})
	if err != nil {
		t.Fatal(err)
	}
	job.Cancel()
	if _, err := job.Wait(testContext(t)); !errors.Is(err, sleigh.ErrEnded) {
		t.Errorf("Wait: %v", err)
	}
	if _, err := squareOrWait.Attach(testContext(t), s, "cancelled", nil); !errors.Is(err, sleigh.ErrNoJob) {
		t.Errorf("Attach: %v", err)
	}
	got, err := square.EachElem(testContext(t), s, upTo(20), &sleigh.JobOptions{Name: "cancelled"})
	wantSquares(t, got, err, 20)
	all, err := s.Finished(testContext(t))
	if err != nil || len(all) != 4 {
		t.Fatalf("finished are %+v, %v", all, err)
	}
	for i, want := range []sleigh.Outcome{sleigh.StoppedAtError, sleigh.StoppedAtError, sleigh.Cancelled, sleigh.Finished} {
		if all[i].Outcome != want {
			t.Errorf("finished are %+v", all)
		}
	}
}

// TestS13Orphans has the master of some jobs die. Those without a name are cleaned up by another master, one is cancelled and
// one pauses, of which a worker that comes runs no more than was handed out.
func TestS13Orphans(t *testing.T) {
	if brief() {
		return
	}
	t.Parallel()
	needRedisServer(t)
	server := redistest.Start(t)
	proxy := redistest.StartProxy(t, server.Addr())
	rdb, cut := openAt(t, server.URL()), openAt(t, proxy.URL())
	disband(t, rdb, "orphans")
	other := join(t, rdb, "orphans", &sleigh.Options{Lease: time.Second})
	dying := join(t, cut, "orphans", nil)
	defer proxy.Allow()
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	submit := func(o *sleigh.JobOptions) *sleigh.Job[int] {
		job, err := square.Submit(ctx, dying, upTo(50), o)
		if err != nil {
			t.Fatal(err)
		}
		return job
	}
	for range 3 {
		submit(nil)
	}
	pausing := submit(&sleigh.JobOptions{Name: "p", Pause: true, Chunk: 1})
	submit(&sleigh.JobOptions{Name: "c", CancelAfter: 10 * time.Second, Chunk: 1})
	proxy.Refuse()
	count := func() int { return len(keysOf(t, rdb, "nws:{orphans}:values:count:*")) }
	eventually(t, "c is cancelled", func() bool {
		all, err := other.Finished(testContext(t))
		return err == nil && len(all) == 1 && all[0].Outcome == sleigh.Cancelled && all[0].Name == "c"
	})
	text := rdb.Redis().LIndex(t.Context(), "nws:{orphans}:values:count:"+pausing.ID(), 0).Val()
	if !strings.HasSuffix(text, `"window":0}`) {
		t.Errorf("it is not paused: %s", text)
	}
	eventually(t, "those without a name go", func() bool { return count() == 1 })
	join(t, rdb, "orphans", &sleigh.Options{Launch: sleigh.InProcess(1)})
	time.Sleep(3 * time.Second) // in which it could run all
	if n := rdb.Redis().LLen(t.Context(), "nws:{orphans}:values:result:"+pausing.ID()).Val(); n > 16 {
		t.Errorf("a paused job has %d results of 50", n)
	}
	job, err := square.Submit(testContext(t), other, upTo(50), &sleigh.JobOptions{Name: "p"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := job.Wait(testContext(t))
	wantSquares(t, got, err, 50)
	cancel()
	proxy.Allow()
	if n := count(); n != 1 { // that which Wait has had
		t.Errorf("%d jobs are left", n)
	}
}
