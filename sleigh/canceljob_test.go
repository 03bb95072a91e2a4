package sleigh_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// wantNothingOf checks that Redis has nothing of a job.
func wantNothingOf(t *testing.T, rdb *redisx.Client, team, job string) {
	t.Helper()
	for _, name := range variablesOf(t, rdb, team) {
		if strings.Contains(name, job) {
			t.Errorf("of job %s there is %s", job, name)
		}
	}
}

// TestCancelJob has a visitor end jobs of another program's master, whose functions only wait for the end of their contexts.
func TestCancelJob(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		ctx, rdb := testContext(t), clientOf(t, s)
		v := visitTo(t, rdb, s.Name())
		for _, by := range []func(id string) string{
			func(id string) string { return id }, func(string) string { return "wait" },
		} {
			job, err := wait.Submit(ctx, s, upTo(20), nil)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				fetch[visit](t, s.User(), "begun")
			}
			if err := v.CancelJob(ctx, by(job.ID())); err != nil {
				t.Fatal(err)
			}
			if _, err := job.Wait(ctx); !errors.Is(err, sleigh.ErrEnded) {
				t.Errorf("Wait: %v", err)
			}
			wantNothingOf(t, rdb, s.Name(), job.ID())
			if err := v.CancelJob(ctx, job.ID()); !errors.Is(err, sleigh.ErrNoJob) {
				t.Errorf("once more: %v", err)
			}
			got, err := square.EachElem(ctx, s, upTo(20), nil) // the gate stays shut, and workers are free
			wantSquares(t, got, err, 20)
		}

		var jobs []*sleigh.Job[int]
		for range 2 {
			job, err := wait.Submit(ctx, s, upTo(2), nil)
			if err != nil {
				t.Fatal(err)
			}
			jobs = append(jobs, job)
		}
		if err := v.CancelJob(ctx, "wait"); err == nil || errors.Is(err, sleigh.ErrNoJob) || !strings.Contains(err.Error(), jobs[1].ID()) {
			t.Errorf("a name that two have: %v", err)
		}
		for _, job := range jobs {
			if err := s.CancelJob(ctx, job.ID()); err != nil {
				t.Error(err)
			}
			if _, err := job.Wait(ctx); !errors.Is(err, sleigh.ErrEnded) {
				t.Errorf("Wait: %v", err)
			}
		}
	})
}

// TestCancelJobBusy ends jobs at any moment while results come, by EachElem, Accumulate and EachWorker.
func TestCancelJobBusy(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(2)})
		ctx := testContext(t)
		v := visitTo(t, rdb, s.Name())
		for at := range 8 {
			cancelled := make(chan error, 1)
			o := &sleigh.JobOptions{Name: fmt.Sprint("busy ", at), Chunk: 1 + at, OnDone: func(done int) {
				if done >= 30*at && cap(cancelled) == 1 {
					go func(to chan error) { to <- v.CancelJob(ctx, fmt.Sprint("busy ", at)) }(cancelled)
					cancelled = make(chan error, 2)
				}
			}}
			first := cancelled
			began := time.Now()
			_, err := square.EachElem(ctx, s, endless(ctx), o)
			if !errors.Is(err, sleigh.ErrEnded) {
				t.Errorf("got %v after %v", err, time.Since(began))
			}
			if err := <-first; err != nil {
				t.Error(err)
			}
		}
		eventually(t, "nothing is left of them", func() bool { return len(statusOf(t, v).Jobs) == 0 })
		for _, name := range variablesOf(t, rdb, s.Name()) {
			if strings.Contains(name, ":") {
				t.Errorf("there is %s", name)
			}
		}
		got, err := square.EachElem(ctx, s, upTo(20), nil)
		wantSquares(t, got, err, 20)
	})
}

// TestCancelJobNotTaken ends a job whose results nobody takes, so that it waits for the program.
func TestCancelJobNotTaken(t *testing.T) {
	t.Parallel()
	rdb := open(t, "mem://")
	s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(2)})
	ctx := testContext(t)
	job, err := square.Submit(ctx, s, endless(ctx), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range job.All(ctx) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	eventually(t, "it waits", func() bool {
		before := job.Check().Done
		return before > 10_000 && statusOf(t, s).Jobs[0].Claimed == 0 && job.Check().Done == before
	})
	if err := s.CancelJob(ctx, job.ID()); err != nil {
		t.Fatal(err)
	}
	var last error
	for _, last = range job.All(ctx) { //nolint:revive // The last one counts.
	}
	if !errors.Is(last, sleigh.ErrEnded) {
		t.Errorf("All ends by %v", last)
	}
}

// TestCancelJobNamed ends jobs of a team that lasts: one that has a master, one that was left to itself, and one all results
// of which are kept.
func TestCancelJobNamed(t *testing.T) {
	t.Parallel()
	onLastingTeams(t, func(t *testing.T, master func() *sleigh.Sleigh) {
		ctx := testContext(t)
		s, away := master(), master()
		rdb := clientOf(t, s)
		v := visitTo(t, rdb, s.Name())
		mine, err := wait.Submit(ctx, s, upTo(5), &sleigh.JobOptions{Name: "mine", Chunk: 1})
		if err != nil {
			t.Fatal(err)
		}
		fetch[visit](t, s.User(), "begun")
		left, err := wait.Submit(ctx, away, upTo(4), &sleigh.JobOptions{Name: "left", Chunk: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := left.Detach(ctx); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"mine", "left"} {
			if err := v.CancelJob(ctx, name); err != nil {
				t.Error(err)
			}
		}
		if _, err := mine.Wait(ctx); !errors.Is(err, sleigh.ErrEnded) {
			t.Errorf("its master gets %v", err)
		}
		kept, err := square.Submit(ctx, s, upTo(4), &sleigh.JobOptions{Name: "kept"})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := kept.Wait(ctx); err != nil || len(got) != 4 {
			t.Errorf("%v, %v", got, err)
		}
		if err := v.CancelJob(ctx, "kept"); err != nil {
			t.Error(err)
		}
		all, err := v.Finished(ctx)
		outcomes := map[string]sleigh.Outcome{}
		for _, f := range all {
			outcomes[f.Name] = f.Outcome
		}
		want := map[string]sleigh.Outcome{"mine": sleigh.Cancelled, "left": sleigh.Cancelled, "kept": sleigh.Finished}
		if err != nil || len(all) != 3 || fmt.Sprint(outcomes) != fmt.Sprint(want) {
			t.Errorf("finished are %+v, %v", all, err)
		}
		for _, id := range []string{mine.ID(), left.ID(), kept.ID(), "named:"} {
			wantNothingOf(t, rdb, s.Name(), id)
		}
		if _, err := wait.Attach(ctx, s, "left", nil); !errors.Is(err, sleigh.ErrNoJob) {
			t.Errorf("Attach: %v", err)
		}
	})
}
