package sleigh_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"syscall"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// pidOf is the process of the worker of a rank that joined last, as it tells in the sleigh's own workspace.
func pidOf(t *testing.T, rdb *redisx.Client, s *sleigh.Sleigh, rank int) int {
	t.Helper()
	own, err := workspace.Use(t.Context(), rdb, s.Name(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	return find[sleigh.WorkerInfo](t, own, fmt.Sprint("worker@", rank)).PID
}

func kill(t *testing.T, pid int, signal syscall.Signal) {
	t.Helper()
	if pid < 2 { // which would be far more than one process
		t.Fatalf("kill %v of process %d", signal, pid)
	}
	if err := syscall.Kill(pid, signal); err != nil {
		t.Errorf("kill %v of process %d: %v", signal, pid, err)
	}
}

// TestS4WorkersKilled kills both workers during each of some jobs of many short elements. That is as much as a job has to
// stand: a third death over the same elements could make one of them fail.
func TestS4WorkersKilled(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		const n, workers, jobs = 1000, 2, 3
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(workers)})
		killed := map[int]bool{}
		for job := range jobs {
			got, err := square.EachElem(testContext(t), s, upTo(n), &sleigh.JobOptions{OnDone: func(done int) {
				if len(killed) > job*workers {
					return
				}
				for rank := range workers {
					var pid int
					eventually(t, "a new worker joins", func() bool { pid = pidOf(t, rdb, s, rank); return !killed[pid] })
					kill(t, pid, syscall.SIGKILL)
					killed[pid] = true
				}
			}})
			wantSquares(t, got, err, n)
		}
		if len(killed) != workers*jobs {
			t.Errorf("%d workers were killed", len(killed))
		}
	})
}

// TestS4OnlyWorkerKilled kills a team's only worker while it runs a function: another one takes the rank and the element.
func TestS4OnlyWorkerKilled(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(1)})
		ended := make(chan error, 1)
		go func() {
			got, err := wait.EachElem(testContext(t), s, upTo(3), nil)
			if !slices.Equal(got, []int{0, 1, 2}) {
				t.Errorf("got %v", got)
			}
			ended <- err
		}()
		first := fetch[visit](t, s.User(), "begun")
		kill(t, first.PID, syscall.SIGKILL)
		second := fetch[visit](t, s.User(), "begun")
		if second.Element != first.Element || second.Rank != first.Rank || second.PID == first.PID {
			t.Errorf("after %+v comes %+v", first, second)
		}
		openGate(t, s.User())
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestS3WorkerKilled kills one of two workers during EachWorker: whoever takes its rank runs the function again.
func TestS3WorkerKilled(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(2)})
		ended := make(chan error, 1)
		go func() {
			got, err := wait.EachWorker(testContext(t), s, 7)
			if !slices.Equal(got, []int{7, 7}) {
				t.Errorf("got %v", got)
			}
			ended <- err
		}()
		one, other := fetch[visit](t, s.User(), "begun"), fetch[visit](t, s.User(), "begun")
		if one.Rank == other.Rank {
			t.Errorf("both runs are of rank %d", one.Rank)
		}
		kill(t, other.PID, syscall.SIGKILL)
		if again := fetch[visit](t, s.User(), "begun"); again.Rank != other.Rank || again.PID == other.PID {
			t.Errorf("after %+v comes %+v", other, again)
		}
		openGate(t, s.User())
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// among gives n elements that do no harm but for those given.
func among(n int, harmful ...fatal) iter.Seq[fatal] {
	return func(yield func(fatal) bool) {
		for i := range n {
			f := fatal{Element: i}
			if at := slices.IndexFunc(harmful, func(h fatal) bool { return h.Element == i }); at >= 0 {
				f = harmful[at]
			}
			if !yield(f) {
				return
			}
		}
	}
}

// TestS10Poison has elements that always end the worker's process: they fail in the end, and no other does. There are so
// many short elements around them that they are claimed together with others.
func TestS10Poison(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(2)})
		const n = 400
		got, err := die.EachElem(testContext(t), s,
			among(n, fatal{Element: 0, Times: -1}, fatal{Element: 300, Times: -1, Exit: true}, fatal{Element: 301, Times: -1}), nil)
		var failed sleigh.TaskErrors
		if !errors.As(err, &failed) || len(failed) != 3 || len(got) != n {
			t.Fatalf("%d results, %v", len(got), err)
		}
		for i, index := range []int{0, 300, 301} {
			wantFailure(t, failed[i], index, "3 workers died while they ran it")
			if failed[i].Attempt != 3 {
				t.Errorf("got %+v", failed[i])
			}
			// More often, if it was not clear at first which element of a claim it was.
			if died := find[int](t, s.User(), fmt.Sprint("died ", index)); died < 3 {
				t.Errorf("element %d was run %d times", index, died)
			}
		}
		for i, x := range got {
			if want := i; x != want && i != 300 && i != 301 {
				t.Errorf("result %d is %d", i, x)
			}
		}
	})
}

// TestS10NotToBlame has elements of which each ends its worker once or twice. Although more than three workers die over
// elements that are claimed together, all have results.
func TestS10NotToBlame(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "local://"), &sleigh.Options{Launch: sleigh.Local(1)})
	const n = 100
	got, err := die.EachElem(testContext(t), s, among(n,
		fatal{Element: 40, Times: 1}, fatal{Element: 43, Times: 1}, fatal{Element: 44, Times: 2}, fatal{Element: 50, Times: 1},
		fatal{Element: 51, Times: 1}), nil)
	if err != nil || len(got) != n {
		t.Fatalf("%d results, %v", len(got), err)
	}
	for i, x := range got {
		if x != i {
			t.Errorf("result %d is %d", i, x)
		}
	}
}

// TestS3Poison has a function that ends the worker of rank 0, among others that only run on the ranks they are for.
func TestS3Poison(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "local://"), &sleigh.Options{Launch: sleigh.Local(2)})
	type outcome struct {
		ranks []int
		err   error
	}
	const calls = 5
	outcomes := make(chan outcome, calls)
	poisoned := make(chan outcome, 1)
	go func() {
		ranks, err := dieAt0.EachWorker(testContext(t), s, 0)
		poisoned <- outcome{ranks, err}
	}()
	for range calls {
		go func() {
			ranks, err := rankOf.EachWorker(testContext(t), s, 0)
			outcomes <- outcome{ranks, err}
		}()
	}
	p := <-poisoned
	if e, ok := errors.AsType[*sleigh.TaskError](p.err); !ok || e.Index != 0 || !slices.Equal(p.ranks, []int{0, 1}) {
		t.Errorf("got %v, %v", p.ranks, p.err)
	}
	for range calls {
		if o := <-outcomes; o.err != nil || !slices.Equal(o.ranks, []int{0, 1}) {
			t.Errorf("another call got %v, %v", o.ranks, o.err)
		}
	}
}

var rankOf = sleigh.Register("rankOf", func(ctx context.Context, x int) (int, error) { return sleigh.WorkerFrom(ctx).Rank(), nil })

var dieAt0 = sleigh.Register("dieAt0", func(ctx context.Context, x int) (int, error) {
	rank := sleigh.WorkerFrom(ctx).Rank()
	if rank == 0 {
		_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
		select {}
	}
	return rank, nil
})
