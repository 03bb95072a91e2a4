package sleigh_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// dieLoudly prints a lot, says something at last, and ends its process.
var dieLoudly = sleigh.Register("dieLoudly", func(ctx context.Context, how string) (int, error) {
	fmt.Fprintln(os.Stderr, strings.Repeat("words ", 1000))
	fmt.Fprintln(os.Stderr, "at last:", how)
	switch how {
	case "exit":
		os.Exit(7)
	case "panic":
		go panic("in a goroutine of its own")
	default:
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	select {}
})

// TestPoisonDeaths has elements that end their workers: the error names each of these with what is known of its end.
func TestPoisonDeaths(t *testing.T) {
	t.Parallel()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(1)})
		for how, cause := range map[string]string{"kill": "signal: killed", "exit": "exit status 7", "panic": "exit status 2"} {
			_, err := dieLoudly.EachElem(testContext(t), s, func(yield func(string) bool) { yield(how) }, nil)
			e, ok := errors.AsType[*sleigh.TaskError](err)
			if !ok || len(e.Deaths) != 3 {
				t.Fatalf("%s: %v", how, err)
			}
			pids := map[int]bool{}
			for _, d := range e.Deaths {
				pids[d.PID] = true
				if d.Worker != 0 || d.Host != host || d.Cause != cause {
					t.Errorf("%s: a death is %+v", how, d)
				}
				if !strings.Contains(d.Stderr, "at last: "+how) || len(d.Stderr) > 4<<10 || len(d.Stderr) < 3<<10 {
					t.Errorf("%s: the last of stderr, %d bytes, is %s", how, len(d.Stderr), d.Stderr)
				}
				if how == "panic" && !strings.Contains(d.Stderr, "in a goroutine of its own") {
					t.Errorf("the last of stderr is %s", d.Stderr)
				}
			}
			if len(pids) != 3 || pids[0] {
				t.Errorf("the processes were %v", pids)
			}
		}
	})
}

// dieCounted says that it runs, and ends its process.
var dieCounted = sleigh.Register("dieCounted", func(ctx context.Context, x int) (int, error) {
	if err := sleigh.WorkerFrom(ctx).User().Store(ctx, "runs", x); err != nil {
		return 0, err
	}
	os.Exit(7)
	return 0, nil
})

// TestPoisonRuns counts the workers that an element takes with it which was handed to a worker that waited: each counts.
func TestPoisonRuns(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(1)})
		for range 2 {
			_, err := dieCounted.EachElem(testContext(t), s, upTo(1), nil)
			if e, ok := errors.AsType[*sleigh.TaskError](err); !ok || len(e.Deaths) != 3 {
				t.Fatal(err)
			}
			for range 3 {
				fetch[int](t, s.User(), "runs")
			}
			if found, err := s.User().TryFetch(testContext(t), "runs", new(int)); found || err != nil {
				t.Fatalf("it ran a fourth time, or %v", err)
			}
		}
	})
}

// TestVolunteerDeaths is the same for a worker that was started by hand.
func TestVolunteerDeaths(t *testing.T) {
	t.Parallel()
	rdb := open(t, open(t, "local://").URL())
	s := start(t, rdb, &sleigh.Options{Launch: sleigh.Manual(1), Lease: time.Minute})
	h := volunteer(t, rdb, s.Name())
	_, err := dieLoudly.EachElem(testContext(t), s, func(yield func(string) bool) { yield("exit") }, nil)
	e, ok := errors.AsType[*sleigh.TaskError](err)
	if !ok || len(e.Deaths) != 3 || e.Deaths[2].Cause != "exit status 7" || !strings.Contains(e.Deaths[2].Stderr, "at last: exit") {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(h.stderr.String(), "at last: exit") {
		t.Errorf("its keeper did not pass on what it said: %s", h.stderr.String())
	}
}

// TestGrandchildHoldsOutput has a worker die whose child goes on: it is replaced at once all the same.
func TestGrandchildHoldsOutput(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.Local(1)})
	child, err := leavesChild.EachElem(testContext(t), s, func(yield func(int) bool) { yield(0) }, nil)
	if err != nil || len(child) != 1 {
		t.Fatalf("got %v, %v", child, err)
	}
	defer kill(t, child[0], syscall.SIGKILL)
	old := pidAt(t, s, 0)
	kill(t, old, syscall.SIGKILL)
	eventually(t, "another one takes the rank", func() bool { pid := pidAt(t, s, 0); return pid != old && pid != 0 })
	if !alive(t, child[0]) {
		t.Error("the child did not go on, so that this tests nothing")
	}
}

// leavesChild starts a process that holds the worker's output open.
var leavesChild = sleigh.Register("leavesChild", func(ctx context.Context, x int) (int, error) {
	p, err := os.StartProcess("/bin/sleep", []string{"sleep", "1000"}, &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
	if err != nil {
		return 0, err
	}
	pid := p.Pid // Release makes it -1
	return pid, p.Release()
})

// TestStuckIsReplaced has a function that goes on after its timeout: the element fails, and another worker takes the rank.
func TestStuckIsReplaced(t *testing.T) {
	t.Parallel()
	rdb := open(t, "local://")
	for name, launch := range map[string]sleigh.Launcher{"goroutines": sleigh.InProcess(1), "processes": sleigh.Local(1)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantReplaced(t, start(t, rdb, &sleigh.Options{Launch: launch}))
		})
	}
}

func wantReplaced(t *testing.T, s *sleigh.Sleigh) {
	t.Helper()
	awaitRanks(t, s, 0)
	before := statusOf(t, s).Workers[0].Info
	_, err := stuck.EachElem(testContext(t), s, upTo(1), &sleigh.JobOptions{Timeout: 10 * time.Millisecond})
	if e, ok := errors.AsType[*sleigh.TaskError](err); !ok || !strings.Contains(e.Message, "it goes on") {
		t.Errorf("got %v", err)
	}
	got, err := square.EachElem(testContext(t), s, upTo(10), nil)
	wantSquares(t, got, err, 10)
	after := statusOf(t, s).Workers[0].Info
	if after.Launch == before.Launch || after.Client == before.Client {
		t.Errorf("the worker %+v was not replaced", after)
	}
	if before.PID != os.Getpid() && alive(t, before.PID) {
		t.Error("its process lives on")
	}
	close(release(s.Name()))
}

// stuck does not hear the end of its context. A goroutine must still end before all tests do.
var stuck = sleigh.Register("stuck", func(ctx context.Context, x int) (int, error) {
	team, _, _ := strings.Cut(sleigh.WorkerFrom(ctx).Name(), "@")
	<-release(team)
	return 0, nil
})

var releases sync.Map // of sleighs

// release is closed to let go of the goroutines of a sleigh.
func release(team string) chan struct{} {
	c, _ := releases.LoadOrStore(team, make(chan struct{}))
	return c.(chan struct{})
}

// TestDeathsAreBounded has many workers die: of the last hundred it is known how.
func TestDeathsAreBounded(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		own, err := workspace.Open(t.Context(), rdb, fmt.Sprintf("deaths-%d", os.Getpid()), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer own.Close()
		for i := range 105 {
			if err := sleigh.NoteDeath(t.Context(), own, fmt.Sprint("client-", i), fmt.Sprint("cause ", i)); err != nil {
				t.Fatal(err)
			}
		}
		vars, err := own.ListVars(t.Context())
		if err != nil || len(vars) != 101 { // and the list of them
			t.Errorf("%d variables, %v", len(vars), err)
		}
		for i, want := range map[int]bool{0: false, 4: false, 5: true, 104: true} {
			var d sleigh.Death
			found, err := own.TryFind(t.Context(), fmt.Sprint("death@client-", i), &d)
			if err != nil || found != want || found && d.Cause != fmt.Sprint("cause ", i) {
				t.Errorf("death %d: %t, %+v, %v", i, found, d, err)
			}
		}
	})
}
