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

// onlyVolunteer has a worker that was started by hand run the only element of a job whose function waits, or does so without
// hearing that its context ends. The other worker of the team is stopped until the returned function is called.
func onlyVolunteer(t *testing.T, rdb *redisx.Client, f sleigh.Func[int, int], drain time.Duration) (
	s *sleigh.Sleigh, h *hand, ended chan error, proceed func(),
) {
	t.Helper()
	s = start(t, rdb, &sleigh.Options{Launch: sleigh.Local(1), Drain: drain, Lease: time.Minute})
	awaitRanks(t, s, 0)
	h = volunteer(t, rdb, s.Name())
	awaitRanks(t, s, 0, 1)
	other := pidAt(t, s, 0)
	kill(t, other, syscall.SIGSTOP)
	t.Cleanup(func() { kill(t, other, syscall.SIGCONT) })
	ended = make(chan error, 1)
	go func() {
		got, err := f.EachElem(testContext(t), s, upTo(1), nil)
		if !slices.Equal(got, []int{0}) {
			t.Errorf("got %v", got)
		}
		ended <- err
	}()
	if v := fetch[visit](t, s.User(), "begun"); v.Rank != 1 {
		t.Errorf("it is run by %+v", v)
	}
	return s, h, ended, func() { kill(t, other, syscall.SIGCONT) }
}

// TestDrainEnds tells a worker to leave: what runs comes to its end, and the next goes to another worker.
func TestDrainEnds(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s, h, ended, proceed := onlyVolunteer(t, rdb, wait, 0)
		h.signal(syscall.SIGTERM)
		eventually(t, "it is about to leave", func() bool {
			st := statusOf(t, s)
			return len(st.Workers) == 2 && st.Workers[1].State == sleigh.Leaving && len(st.Workers[1].Tasks) == 1
		})
		another := make(chan error, 1)
		go func() {
			_, err := square.EachElem(testContext(t), s, upTo(1), nil)
			another <- err
		}()
		eventually(t, "another task waits", func() bool {
			st := statusOf(t, s)
			return len(st.Jobs) == 2 && st.Jobs[0].Claimed == 1 && st.Jobs[1].Queued+st.Jobs[1].Claimed == 1
		})
		openGate(t, s.User())
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if code := h.wait(); code != 0 {
			t.Errorf("it ended with %d", code)
		}
		proceed()
		if err := <-another; err != nil {
			t.Error(err)
		}
		awaitRanks(t, s, 0)
	})
}

// TestDrainGivesBack has a function go on for longer than the worker has to leave: at the end of its context, or soon after,
// its element goes to another worker, as if it had never been run.
func TestDrainGivesBack(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]sleigh.Func[int, int]{"hears": wait, "deaf": deafOnce} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBackends(t, func(t *testing.T, rdb *redisx.Client) {
				s, h, ended, proceed := onlyVolunteer(t, rdb, f, 100*time.Millisecond)
				h.signal(syscall.SIGTERM)
				if code := h.wait(); code != 0 {
					t.Errorf("it ended with %d", code)
				}
				proceed()
				if v := fetch[visit](t, s.User(), "begun"); v.Rank != 0 {
					t.Errorf("it is run again by %+v", v)
				}
				openGate(t, s.User())
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// deafOnce is wait that does not hear the end of its context the first time.
var deafOnce = sleigh.Register("deafOnce", func(ctx context.Context, x int) (int, error) {
	w := sleigh.WorkerFrom(ctx)
	if w.Rank() == 1 {
		if err := w.User().Store(ctx, "begun", visit{Element: x, Rank: 1}); err != nil {
			return 0, err
		}
		select {}
	}
	return waitFor(ctx, x)
})

// TestDrainAtOnce has a second signal cut the drain time short.
func TestDrainAtOnce(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s, h, ended, proceed := onlyVolunteer(t, rdb, wait, 0)
		h.signal(syscall.SIGTERM)
		eventually(t, "it is about to leave", func() bool {
			st := statusOf(t, s)
			return len(st.Workers) == 2 && st.Workers[1].State == sleigh.Leaving
		})
		h.signal(syscall.SIGTERM)
		if code := h.wait(); code != 0 {
			t.Errorf("it ended with %d", code)
		}
		proceed()
		if v := fetch[visit](t, s.User(), "begun"); v.Rank != 0 {
			t.Errorf("it is run again by %+v", v)
		}
		openGate(t, s.User())
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestDrainLaunched tells workers that the master launched to leave while a job runs: others take their ranks, and nothing is
// lost.
func TestDrainLaunched(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		const n, times = 3000, 6
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(2)})
		told := map[int]bool{}
		got, err := square.EachElem(testContext(t), s, upTo(n), &sleigh.JobOptions{Chunk: 5, OnDone: func(done int) {
			if done < len(told)*n/times {
				return
			}
			if pid := pidAt(t, s, len(told)%2); pid != 0 && !told[pid] {
				kill(t, pid, syscall.SIGTERM)
				told[pid] = true
			}
		}})
		wantSquares(t, got, err, n)
		if len(told) < 3 {
			t.Errorf("only %d workers were told to leave", len(told))
		}
		eventually(t, "others take the ranks", func() bool {
			return slices.Equal(ranksOf(t, s), []int{0, 1}) && !told[pidAt(t, s, 0)] && !told[pidAt(t, s, 1)]
		})
	})
}
