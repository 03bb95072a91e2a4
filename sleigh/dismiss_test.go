package sleigh_test

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// TestDrainWorker tells a busy worker that the master has launched to leave: it ends what it runs, and none takes its place.
func TestDrainWorker(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		for name, launch := range map[string]sleigh.Launcher{"goroutines": sleigh.InProcess(2), "processes": sleigh.Local(2)} {
			t.Run(name, func(t *testing.T) {
				var log lockedBuffer
				s := start(t, rdb, &sleigh.Options{Launch: launch, Logger: slog.New(slog.NewTextHandler(&log, nil))})
				awaitRanks(t, s, 0, 1)
				ctx := testContext(t)
				v := visitTo(t, rdb, s.Name())
				if err := v.DrainWorker(ctx, 2); !errors.Is(err, sleigh.ErrNoWorker) || !strings.Contains(err.Error(), "2") {
					t.Errorf("of a rank that nobody has: %v", err)
				}
				job, err := wait.Submit(ctx, s, upTo(3), &sleigh.JobOptions{Chunk: 1, NoCopies: true})
				if err != nil {
					t.Fatal(err)
				}
				for range 2 {
					fetch[visit](t, s.User(), "begun")
				}
				if err := v.DrainWorker(ctx, 1); err != nil {
					t.Fatal(err)
				}
				awaitLeaving(t, v)
				if err := v.DrainWorker(ctx, 1); err != nil {
					t.Errorf("while it leaves: %v", err)
				}
				openGate(t, s.User())
				if got, err := job.Wait(ctx); err != nil || !slices.Equal(got, slices.Collect(upTo(3))) {
					t.Errorf("%v, %v", got, err)
				}
				if third := fetch[visit](t, s.User(), "begun"); third.Rank != 0 {
					t.Errorf("the third element was run by %+v", third)
				}
				eventually(t, "its rank is given back", func() bool { return len(statusOf(t, v).Workers) == 1 })
				if got, err := rankOf.EachWorker(ctx, s, 0); err != nil || !slices.Equal(got, []int{0}) {
					t.Errorf("of the workers that are left come %v, %v", got, err)
				}
				for _, name := range variablesOf(t, rdb, s.Name()) {
					if strings.HasSuffix(name, "@1") && name != "task@1" {
						t.Errorf("of the worker there is %s", name)
					}
				}
				if strings.Contains(log.String(), "takes its rank") {
					t.Errorf("the log says: %s", log.String())
				}

				if err := s.DrainWorker(ctx, 0); err != nil {
					t.Fatal(err)
				}
				eventually(t, "the other one leaves", func() bool { return len(statusOf(t, v).Workers) == 0 })
				if _, err := rankOf.EachWorker(ctx, s, 0); err == nil {
					t.Error("EachWorker without workers")
				}
			})
		}
	})
}

// TestDrainWorkerByHand tells one that was started by hand to leave, idle and busy for longer than it may.
func TestDrainWorkerByHand(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s, h, job := bothBusy(t, rdb, deafAt1, 100*time.Millisecond)
		v := visitTo(t, rdb, s.Name())
		if err := v.DrainWorker(testContext(t), 1); err != nil {
			t.Fatal(err)
		}
		if code := h.wait(); code != 0 {
			t.Errorf("it ended with %d: %s", code, h.stderr.String())
		}
		wantGivenBack(t, s, job)
		awaitRanks(t, s, 0)

		idle := volunteer(t, rdb, s.Name())
		awaitRanks(t, s, 0, 1)
		if err := v.DrainWorker(testContext(t), 1); err != nil {
			t.Fatal(err)
		}
		if code := idle.wait(); code != 0 {
			t.Errorf("the idle one ended with %d: %s", code, idle.stderr.String())
		}
		awaitRanks(t, s, 0)
	})
}

// TestDrainWorkerDies has a worker die when it was told to leave: none takes its place either.
func TestDrainWorkerDies(t *testing.T) {
	t.Parallel()
	rdb := open(t, "mem://")
	s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(2)})
	awaitRanks(t, s, 0, 1)
	ctx := testContext(t)
	job, err := wait.Submit(ctx, s, upTo(2), &sleigh.JobOptions{Chunk: 1, NoCopies: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		fetch[visit](t, s.User(), "begun")
	}
	pid := pidAt(t, s, 1)
	if err := s.DrainWorker(ctx, 1); err != nil {
		t.Fatal(err)
	}
	awaitLeaving(t, s)
	kill(t, pid, 9)
	eventually(t, "its rank is given back", func() bool { return len(statusOf(t, s).Workers) == 1 })
	openGate(t, s.User())
	if got, err := job.Wait(ctx); err != nil || !slices.Equal(got, []int{0, 1}) {
		t.Errorf("%v, %v", got, err)
	}
	if again := fetch[visit](t, s.User(), "begun"); again.Rank != 0 {
		t.Errorf("it is run again by %+v", again)
	}
	// Another one may take the rank, and is none of those that were told.
	h := volunteer(t, rdb, s.Name())
	awaitRanks(t, s, 0, 1)
	if got, err := rankOf.EachWorker(ctx, s, 0); err != nil || fmt.Sprint(got) != "[0 1]" {
		t.Errorf("of the workers come %v, %v", got, err)
	}
	_ = h
}
