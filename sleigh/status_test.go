package sleigh_test

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// wantSum checks that no element of a job is anywhere twice, or nowhere.
func wantSum(t *testing.T, j sleigh.JobStatus) {
	t.Helper()
	if j.Submitted != j.Backlog+j.Queued+j.Claimed+j.Done || min(j.Backlog, j.Queued, j.Claimed, j.Done) < 0 {
		t.Errorf("the numbers do not add up: %+v", j)
	}
}

// TestS12Status looks at what workers and jobs tell while functions wait.
func TestS12Status(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		began := time.Now()
		awaitRanks(t, s, 0, 1)
		job := make(chan error, 1)
		go func() {
			_, err := wait.EachElem(testContext(t), s, upTo(30), &sleigh.JobOptions{Name: "thirty", Chunk: 1, LoadFactor: 2, Priority: 3})
			job <- err
		}()
		for range 2 {
			fetch[visit](t, s.User(), "begun")
		}
		var st *sleigh.Status
		eventually(t, "all is as it will stay", func() bool {
			st = statusOf(t, s)
			return len(st.Jobs) == 1 && st.Jobs[0].Submitted == 24 && st.Workers[0].State == sleigh.Working && st.Workers[1].State == sleigh.Working
		})
		j := st.Jobs[0]
		wantSum(t, j)
		if j.Name != "thirty" || j.Func != "wait" || j.Priority != 3 || j.Claimed != 2 || j.Queued != 10 || j.Backlog != 12 || j.Done != 0 {
			t.Errorf("the job is %+v", j)
		}
		if j.Total != -1 || j.Left != -1 || j.Since.Before(began.Add(-time.Second)) || j.Since.After(time.Now()) {
			t.Errorf("the job is %+v", j)
		}
		for rank, w := range st.Workers {
			if w.Rank != rank || len(w.Tasks) != 1 || w.Tasks[0].Job != j.ID || w.Tasks[0].Func != "wait" || w.Tasks[0].Index != rank &&
				w.Tasks[0].Index != 1-rank || w.Tasks[0].Since.Before(began) || w.Beat < 0 || w.Since.Before(began) {
				t.Errorf("worker %d is %+v", rank, w)
			}
			i := w.Info
			if i.Rank != rank || i.OS != runtime.GOOS || i.Arch != runtime.GOARCH || i.Slots != 1 || i.Program != filepath.Base(os.Args[0]) ||
				len(i.Build) != 16 || i.Since.IsZero() || i.Host == "" || i.PID == 0 || i.Client == "" {
				t.Errorf("worker %d is %+v", rank, i)
			}
		}

		openGate(t, s.User())
		if err := <-job; err != nil {
			t.Error(err)
		}
		if _, err := odd.EachWorker(testContext(t), s, 5); err == nil {
			t.Error("no worker failed")
		}
		eventually(t, "the workers tell what they have done", func() bool {
			st = statusOf(t, s)
			return st.Workers[0].Done+st.Workers[1].Done == 32 && st.Workers[0].State == sleigh.Idle && st.Workers[1].State == sleigh.Idle
		})
		if a, b := st.Workers[0], st.Workers[1]; a.Failed != 0 || b.Failed != 1 || a.Mean <= 0 || len(a.Tasks) > 0 || a.Since.Before(j.Since) {
			t.Errorf("the workers are %+v", st.Workers)
		}
		if len(st.Jobs) > 0 || len(st.Hosts) > 0 || len(st.Refused) > 0 {
			t.Errorf("got %+v", st)
		}
	})
}

// TestS12StatusOfRate looks at a job that goes on.
func TestS12StatusOfRate(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(2)})
		var seen []sleigh.JobStatus
		got, err := square.EachElem(testContext(t), s, upTo(4000), &sleigh.JobOptions{OnDone: func(done int) {
			if done == 4000 {
				return
			}
			st := statusOf(t, s)
			if len(st.Jobs) != 1 {
				t.Errorf("got %+v", st.Jobs)
				return
			}
			wantSum(t, st.Jobs[0])
			seen = append(seen, st.Jobs[0])
		}})
		wantSquares(t, got, err, 4000)
		last := seen[len(seen)-1]
		if last.Rate <= 0 || last.Total == 4000 && last.Left < 0 || last.Total != 4000 && last.Total != -1 {
			t.Errorf("at last it was %+v", last)
		}
		if !slices.ContainsFunc(seen, func(j sleigh.JobStatus) bool { return j.Total == 4000 && j.Left >= 0 }) {
			t.Errorf("the time left was never told: %+v", seen)
		}
	})
}

// TestS12StatusOfTheSilent looks at a worker that is stopped, and at one that never comes.
func TestS12StatusOfTheSilent(t *testing.T) {
	t.Parallel()
	rdb := open(t, "mem://")
	s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(1)})
	awaitRanks(t, s, 0)
	own, err := workspace.Use(t.Context(), rdb, s.Name(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	places := sleigh.NewPlaces(own, time.Minute, 4, 1)
	ranks, err := places.Take(t.Context(), 1)
	wantRanks(t, ranks, err, 1)
	st := statusOf(t, s)
	if len(st.Workers) != 2 || st.Workers[0].State != sleigh.Idle || st.Workers[1].State != sleigh.Joining || st.Workers[1].Beat != -1 {
		t.Errorf("got %+v", st.Workers)
	}
	if err := places.Leave(t.Context(), 1); err != nil {
		t.Error(err)
	}
	pid := pidAt(t, s, 0)
	kill(t, pid, syscall.SIGSTOP)
	eventually(t, "nothing is heard of it", func() bool { return statusOf(t, s).Workers[0].State == sleigh.Silent })
	kill(t, pid, syscall.SIGCONT)
	eventually(t, "it is heard again", func() bool { return statusOf(t, s).Workers[0].State == sleigh.Idle })
}

// TestS13StatusAfterStop is refused as other calls are.
func TestS13StatusAfterStop(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.InProcess(1)})
	if err := s.Stop(testContext(t)); err != nil {
		t.Error(err)
	}
	if st, err := s.Status(t.Context()); err == nil {
		t.Errorf("got %+v", st)
	}
}
