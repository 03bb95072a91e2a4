package sleigh_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/sleigh"
)

// TestS13UnusedKept has all results come while nobody asks for them: the next master is given them.
func TestS13UnusedKept(t *testing.T) {
	t.Parallel()
	_, _, master := heirs(t, "mem://", 2)
	const n = 100
	s := master()
	job, err := square.Submit(testContext(t), s, upTo(n), &sleigh.JobOptions{Name: "unused"})
	if err != nil {
		t.Fatal(err)
	}
	awaitDone(t, job.Check, n)
	time.Sleep(500 * time.Millisecond) // far longer than it takes to tell Redis what was used
	stopNow(t, s)
	s = master()
	again, err := square.Attach(testContext(t), s, "unused", nil)
	if err != nil {
		all, _ := s.Finished(testContext(t))
		t.Fatalf("Attach: %v; finished: %+v", err, all)
	}
	got, err := again.Wait(testContext(t))
	wantSquares(t, got, err, n)
}

// TestS13AllHandedOut has a master use nothing of a job all of which is in Redis. Redis knows that it is all, so that the job
// can be attached to if this master dies.
func TestS13AllHandedOut(t *testing.T) {
	t.Parallel()
	rdb, name, master := heirs(t, "mem://", 0)
	job, err := square.Submit(testContext(t), master(), upTo(5), &sleigh.JobOptions{Name: "slow", Chunk: 1})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "all are handed out", func() bool { return job.Check().All && job.Check().Submitted == 5 })
	eventually(t, "Redis is told that these are all", func() bool {
		return len(keysOf(t, rdb, "nws:{"+name+"}:values:state:"+job.ID())) > 0
	})
}

// TestS13AttachPart attaches to a job that was broken off before all elements were handed out: what there is comes before
// ErrIncomplete.
func TestS13AttachPart(t *testing.T) {
	t.Parallel()
	_, _, master := heirs(t, "mem://", 2)
	s := master()
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	over := make(chan struct{})
	job, err := square.Submit(ctx, s, func(yield func(int) bool) {
		for i := range 20 {
			if !yield(i) {
				return
			}
		}
		<-ctx.Done()
		close(over)
	}, &sleigh.JobOptions{Name: "part", Chunk: 1})
	if err != nil {
		t.Fatal(err)
	}
	awaitDone(t, job.Check, 20)
	cancel()
	<-over
	stopNow(t, s)
	again, err := square.Attach(testContext(t), master(), "part", nil)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	var last error
	for _, err := range again.All(testContext(t)) {
		if last = err; err == nil {
			n++
		}
	}
	if n != 20 || !errors.Is(last, sleigh.ErrIncomplete) {
		t.Errorf("%d of 20 were given, then %v", n, last)
	}
}

// TestS13UsedByAccumulate has EachElem want all results of a job of which another master has used some: it says so, if it does
// not have them.
func TestS13UsedByAccumulate(t *testing.T) {
	t.Parallel()
	_, _, master := heirs(t, "mem://", 2)
	s := master()
	ctx, cancel := context.WithCancelCause(testContext(t))
	defer cancel(nil)
	seen := 0
	o := &sleigh.JobOptions{Name: "mixed", Chunk: 5}
	err := square.Accumulate(ctx, s, upTo(500), o, func(i, v int) error {
		if seen++; seen == 200 {
			cancel(errEnough)
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Errorf("Accumulate: %v", err)
	}
	stopNow(t, s)
	got, err := square.EachElem(testContext(t), master(), upTo(500), o)
	missing := 0
	for i, v := range got {
		if v != i*i {
			missing++
		}
	}
	if err == nil && missing > 0 {
		t.Errorf("%d of %d results are missing, without an error", missing, len(got))
	}
}

// TestS13EachElemFinished lists a job as finished when EachElem has returned its results.
func TestS13EachElemFinished(t *testing.T) {
	t.Parallel()
	_, _, master := heirs(t, "mem://", 2)
	s := master()
	got, err := square.EachElem(testContext(t), s, upTo(10), &sleigh.JobOptions{Name: "kept", Keep: time.Minute})
	wantSquares(t, got, err, 10)
	all, err := s.Finished(testContext(t))
	if err != nil || len(all) != 1 || all[0].Outcome != sleigh.Finished {
		t.Errorf("finished are %+v, %v", all, err)
	}
}

// bulky returns what takes some memory.
var bulky = sleigh.Register("bulky", func(_ context.Context, x int) (string, error) { return strings.Repeat("x", 100_000), nil })

// TestS13MemoryShort has Redis be short of memory while a master uses results: that it has is noted, which frees some.
func TestS13MemoryShort(t *testing.T) {
	t.Parallel()
	needRedisServer(t)
	rdb, name, master := heirs(t, redistest.Start(t).URL(), 1)
	const n = 20
	job, err := bulky.Submit(testContext(t), master(), upTo(n), &sleigh.JobOptions{Name: "bulky", Chunk: 1})
	if err != nil {
		t.Fatal(err)
	}
	awaitDone(t, job.Check, n)
	limit := func(most string) {
		if err := rdb.Redis().ConfigSet(context.Background(), "maxmemory", most).Err(); err != nil {
			t.Error(err)
		}
	}
	limit("1mb")
	defer limit("0")
	given := 0
	for _, err := range job.All(testContext(t)) {
		if err != nil {
			t.Fatalf("after %d of %d: %v", given, n, err)
		}
		if given++; given == n/2 {
			eventually(t, "what was used is dropped", func() bool {
				return rdb.Redis().LLen(t.Context(), "nws:{"+name+"}:values:result:"+job.ID()).Val() <= n/2+1
			})
		}
	}
	if given != n {
		t.Errorf("%d of %d are given", given, n)
	}
}
