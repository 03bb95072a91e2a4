package sleigh_test

import (
	"context"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// bothBusy has a goroutine, of rank 0, and a worker that was started by hand, of rank 1, run one element each.
func bothBusy(t *testing.T, rdb *redisx.Client, f sleigh.Func[int, int], drain time.Duration) (s *sleigh.Sleigh, h *hand, job chan error) {
	t.Helper()
	s = start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(1), Drain: drain, Lease: time.Minute})
	h = volunteer(t, rdb, s.Name())
	awaitRanks(t, s, 0, 1)
	job = make(chan error, 1)
	go func() {
		got, err := f.EachElem(testContext(t), s, upTo(2), nil)
		if !slices.Equal(got, []int{0, 1}) {
			t.Errorf("got %v", got)
		}
		job <- err
	}()
	if one, other := fetch[visit](t, s.User(), "begun"), fetch[visit](t, s.User(), "begun"); one.Rank == other.Rank {
		t.Errorf("got %+v and %+v", one, other)
	}
	return s, h, job
}

// awaitLeaving waits until the worker of rank 1 tells that it leaves while it runs a task.
func awaitLeaving(t *testing.T, s *sleigh.Sleigh) {
	t.Helper()
	eventually(t, "it is about to leave", func() bool {
		st := statusOf(t, s)
		return len(st.Workers) == 2 && st.Workers[1].State == sleigh.Leaving && len(st.Workers[1].Tasks) == 1
	})
}

// wantGivenBack opens the gate and checks that the goroutine runs the other element, too.
func wantGivenBack(t *testing.T, s *sleigh.Sleigh, job chan error) {
	t.Helper()
	openGate(t, s.User())
	if err := <-job; err != nil {
		t.Error(err)
	}
	var v visit
	if found, err := s.User().TryFetch(testContext(t), "begun", &v); err != nil || !found || v.Rank != 0 {
		t.Errorf("it is run again: %t, by %+v, %v", found, v, err)
	}
}

// TestDrainEnds tells a worker to leave: what runs comes to its end, and another task goes elsewhere.
func TestDrainEnds(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s, h, job := bothBusy(t, rdb, wait, 0)
		h.signal(syscall.SIGTERM)
		awaitLeaving(t, s)
		another := make(chan error, 1)
		go func() {
			ranks, err := rankOf.EachElem(testContext(t), s, upTo(1), nil)
			if !slices.Equal(ranks, []int{0}) {
				t.Errorf("it was run by %v", ranks)
			}
			another <- err
		}()
		eventually(t, "another task waits", func() bool {
			st := statusOf(t, s)
			return len(st.Jobs) == 2 && st.Jobs[0].Claimed == 2 && st.Jobs[1].Queued == 1
		})
		openGate(t, s.User())
		for _, j := range []chan error{job, another} {
			if err := <-j; err != nil {
				t.Error(err)
			}
		}
		if code := h.wait(); code != 0 {
			t.Errorf("it ended with %d", code)
		}
		awaitRanks(t, s, 0)
		if found, err := s.User().TryFetch(testContext(t), "begun", new(visit)); found || err != nil {
			t.Errorf("an element was run again: %v", err)
		}
	})
}

// TestDrainGivesBack has a function go on for longer than the worker has to leave: at the end of its context, or soon after,
// its element goes to another worker.
func TestDrainGivesBack(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]sleigh.Func[int, int]{"hears": wait, "deaf": deafAt1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBackends(t, func(t *testing.T, rdb *redisx.Client) {
				s, h, job := bothBusy(t, rdb, f, 100*time.Millisecond)
				h.signal(syscall.SIGTERM)
				if code := h.wait(); code != 0 {
					t.Errorf("it ended with %d", code)
				}
				wantGivenBack(t, s, job)
			})
		})
	}
}

// deafAt1 is wait, and does not hear the end of its context on the worker of rank 1.
var deafAt1 = sleigh.Register("deafAt1", func(ctx context.Context, x int) (int, error) {
	w := sleigh.WorkerFrom(ctx)
	if w.Rank() == 1 {
		if err := w.User().Store(ctx, "begun", visit{Element: x, Rank: 1}); err != nil {
			return 0, err
		}
		select {}
	}
	return waitFor(ctx, x)
})

// TestDrainOften has a worker leave three times while it runs the same element, which is not taken for deaths.
func TestDrainOften(t *testing.T) {
	t.Parallel()
	rdb := open(t, "mem://")
	s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(1), Drain: time.Millisecond, Lease: time.Minute})
	job := make(chan error, 1)
	go func() {
		_, err := deafAt1.EachElem(testContext(t), s, upTo(2), nil)
		job <- err
	}()
	fetch[visit](t, s.User(), "begun")
	for range 3 {
		h := volunteer(t, rdb, s.Name())
		if v := fetch[visit](t, s.User(), "begun"); v.Rank != 1 {
			t.Errorf("it is run by %+v", v)
		}
		h.signal(syscall.SIGTERM)
		if code := h.wait(); code != 0 {
			t.Errorf("it ended with %d", code)
		}
	}
	wantGivenBack(t, s, job)
}

// TestDrainAtOnce has a second signal cut the drain time short.
func TestDrainAtOnce(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s, h, job := bothBusy(t, rdb, wait, time.Hour)
		h.signal(syscall.SIGTERM)
		awaitLeaving(t, s)
		h.signal(syscall.SIGTERM)
		if code := h.wait(); code != 0 {
			t.Errorf("it ended with %d", code)
		}
		wantGivenBack(t, s, job)
	})
}

// TestDrainLaunched tells workers that the master launched to leave during each of some jobs: others take their ranks, and
// nothing is lost.
func TestDrainLaunched(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		const n, workers, jobs = 1000, 2, 3
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(workers)})
		told := map[int]bool{}
		for job := range jobs {
			got, err := square.EachElem(testContext(t), s, upTo(n), &sleigh.JobOptions{Chunk: 5, OnDone: func(done int) {
				if len(told) > job*workers {
					return
				}
				for rank := range workers {
					var pid int
					eventually(t, "a new worker joins", func() bool { pid = pidAt(t, s, rank); return pid != 0 && !told[pid] })
					kill(t, pid, syscall.SIGTERM)
					told[pid] = true
				}
			}})
			wantSquares(t, got, err, n)
		}
		if len(told) != workers*jobs {
			t.Errorf("%d workers were told to leave", len(told))
		}
	})
}

// TestDrainShared has a worker leave whose element was one of several of a task, the others of which it has given to others.
func TestDrainShared(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(1), Drain: time.Millisecond, Lease: time.Minute})
		h := volunteer(t, rdb, s.Name())
		awaitRanks(t, s, 0, 1)
		job := make(chan error, 1)
		go func() {
			got, err := wait.EachElem(testContext(t), s, upTo(3), &sleigh.JobOptions{Chunk: 3})
			if !slices.Equal(got, []int{0, 1, 2}) {
				t.Errorf("got %v", got)
			}
			job <- err
		}()
		for range 2 {
			fetch[visit](t, s.User(), "begun")
		}
		eventually(t, "the third waits", func() bool {
			st := statusOf(t, s)
			return len(st.Jobs) == 1 && st.Jobs[0].Queued == 1 && st.Jobs[0].Claimed == 2
		})
		h.signal(syscall.SIGTERM)
		if code := h.wait(); code != 0 {
			t.Errorf("it ended with %d", code)
		}
		openGate(t, s.User())
		if err := <-job; err != nil {
			t.Error(err)
		}
	})
}
