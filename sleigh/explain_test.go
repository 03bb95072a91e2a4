package sleigh_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// explained waits until a sleigh gives a reason, and that says what is wanted. Others may come with it.
func explained(t *testing.T, s *sleigh.Sleigh, cause sleigh.Cause, words string) sleigh.Reason {
	t.Helper()
	var reasons []sleigh.Reason
	deadline := time.Now().Add(patience)
	for {
		var err error
		if reasons, err = s.Explain(testContext(t)); err != nil {
			t.Fatal(err)
		}
		for _, r := range reasons {
			if r.Cause == cause && strings.Contains(r.String(), words) {
				return r
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("it says %v, want %q: %q", reasons, cause, words)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// explainedFirst checks that this is the first reason.
func explainedFirst(t *testing.T, s *sleigh.Sleigh, cause sleigh.Cause) {
	t.Helper()
	reasons, err := s.Explain(testContext(t))
	if err != nil || len(reasons) == 0 || reasons[0].Cause != cause {
		t.Errorf("it says %v, %v, want first %q", reasons, err, cause)
	}
}

// TestExplainWaiting has all workers wait for a variable, in goroutines and in processes.
func TestExplainWaiting(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		awaitRanks(t, s, 0, 1)
		if reasons, err := s.Explain(testContext(t)); err != nil || len(reasons) > 0 {
			t.Errorf("of an idle team it says %v, %v", reasons, err)
		}
		job, err := wait.Submit(testContext(t), s, upTo(5), &sleigh.JobOptions{NoCopies: true})
		if err != nil {
			t.Fatal(err)
		}
		defer job.Cancel()
		r := explained(t, s, sleigh.Waiting, "all 2 workers wait in find of `gate`, which nobody has stored")
		if r.Variable != "gate" || r.Fetch || r.Known || r.Workers != 2 || len(r.Ranks) != 2 || r.Ranks[0] != 0 || r.Ranks[1] != 1 ||
			len(r.Hosts) != 1 || r.For < 5*time.Second {
			t.Errorf("the reason is %+v", r)
		}
		explainedFirst(t, s, sleigh.Waiting)
		r = explained(t, s, sleigh.WindowTaken, "its window is taken by 2 elements that take long")
		if r.Job != job.ID() || r.Func != "wait" || r.Elements != 2 || r.Retries != 0 || len(r.Jobs) > 0 {
			t.Errorf("the reason is %+v", r)
		}
		openGate(t, s.User())
		if _, err := job.Wait(testContext(t)); err != nil {
			t.Error(err)
		}
		if reasons, err := s.Explain(testContext(t)); err != nil || len(reasons) > 0 {
			t.Errorf("at the end it says %v, %v", reasons, err)
		}
	})
}

// TestExplainWorks asks a team that works again and again.
func TestExplainWorks(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		awaitRanks(t, s, 0, 1)
		asked := 0
		got, err := square.EachElem(testContext(t), s, upTo(2000), &sleigh.JobOptions{Chunk: 10, OnDone: func(done int) {
			if done < asked*200 {
				return
			}
			asked++
			if reasons, err := s.Explain(testContext(t)); err != nil || len(reasons) > 0 {
				t.Errorf("after %d elements it says %v, %v", done, reasons, err)
			}
		}})
		wantSquares(t, got, err, 2000)
		if asked < 3 {
			t.Errorf("it was asked %d times", asked)
		}
	})
}

// TestExplainNoWorker has workers that are refused, and tells how to start one.
func TestExplainNoWorker(t *testing.T) {
	t.Parallel()
	needRedisServer(t)
	server := open(t, "local://")
	rdb := openAt(t, server.URL()) // not this program's own, as far as it knows
	s := start(t, rdb, &sleigh.Options{Launch: sleigh.Manual(1)})
	r := explained(t, s, sleigh.NoWorker, "no worker has joined; on any machine, start one with REDIS_URL=")
	if !strings.Contains(r.Command, "NETSPACES_TEAM="+s.Name()+" ") || r.Workers != 1 || len(r.Refused) > 0 {
		t.Errorf("the reason is %+v", r)
	}
	changeTerms(t, rdb, s, func(terms map[string]any) {
		terms["functions"] = append(terms["functions"].([]any), "only the master's")
	})
	h := volunteer(t, rdb, s.Name())
	h.wait()
	r = explained(t, s, sleigh.NoWorker, "1 were refused: the program")
	if len(r.Refused) != 1 || r.Refused[0].PID != h.cmd.Process.Pid || !strings.Contains(r.String(), "does not register only the master's") {
		t.Errorf("the reason is %+v", r)
	}
}

// TestExplainSilent stops a worker process that has a task.
func TestExplainSilent(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(1), Lease: time.Minute})
		job, err := wait.Submit(testContext(t), s, upTo(3), &sleigh.JobOptions{NoCopies: true, Chunk: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer job.Cancel()
		fetch[visit](t, s.User(), "begun")
		host, err := os.Hostname()
		if err != nil {
			t.Fatal(err)
		}
		pid := pidAt(t, s, 0)
		kill(t, pid, syscall.SIGSTOP)
		defer kill(t, pid, syscall.SIGCONT)
		r := explained(t, s, sleigh.HostSilent, "1 task is claimed on host "+host+", last seen ")
		if r.Tasks != 1 || r.Elements != 1 || len(r.Ranks) != 1 || r.Hosts[0] != host || r.For < 6*time.Second || r.In <= 0 || r.In > time.Minute {
			t.Errorf("the reason is %+v", r)
		}
		explainedFirst(t, s, sleigh.HostSilent)
	})
}

// TestExplainNoFunction has workers without the function, which those of this process have.
func TestExplainNoFunction(t *testing.T) {
	t.Parallel()
	f := onlyHere()
	onTeams(t, 1, func(t *testing.T, s *sleigh.Sleigh) {
		awaitRanks(t, s, 0)
		ctx, cancel := context.WithCancel(testContext(t))
		defer cancel()
		job, err := f.Submit(ctx, s, upTo(1), &sleigh.JobOptions{Attempts: 2, Backoff: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if statusOf(t, s).Workers[0].Info.PID == os.Getpid() {
			if _, err := job.Wait(ctx); err != nil {
				t.Error(err)
			}
			return
		}
		r := explained(t, s, sleigh.NoFunction, "no worker has function onlyHere")
		if r.Job != job.ID() || r.Func != "onlyHere" || len(r.Builds) != 1 || r.Builds[0] != r.MasterBuild || r.Workers != 1 {
			t.Errorf("the reason is %+v", r)
		}
		explainedFirst(t, s, sleigh.NoFunction)
		r = explained(t, s, sleigh.WindowTaken, "its window is taken by 1 element that waits for its next attempt, the first in ")
		if r.Retries != 1 || r.In <= 50*time.Minute || r.In > time.Hour {
			t.Errorf("the reason is %+v", r)
		}
	})
}

// TestExplainHostFailing has a function fail on one of two hosts. Not parallel, as it changes the names of hosts.
func TestExplainHostFailing(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	var joined atomic.Int64
	defer sleigh.SetHostname(func() string { return fmt.Sprint(host, "-", joined.Add(1)) })()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.InProcess(2)})
	hosts, err := identify.EachWorker(testContext(t), s, 0)
	if err != nil || len(hosts) != 2 || hosts[0].Host == hosts[1].Host {
		t.Fatalf("got %v, %v", hosts, err)
	}
	bad := hosts[1].Host
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	elems := func(yield func(string) bool) {
		for ctx.Err() == nil && yield(bad) {
		}
	}
	job, err := failsOn.Submit(ctx, s, elems, &sleigh.JobOptions{Chunk: 1})
	if err != nil {
		t.Fatal(err)
	}
	r := explained(t, s, sleigh.HostFailing, "failsOn fails on host "+bad+", and not on others: ")
	if r.Func != "failsOn" || len(r.Hosts) != 1 || r.Hosts[0] != bad || r.Failed < 10 || r.Elements < r.Failed {
		t.Errorf("the reason is %+v", r)
	}
	job.Cancel()
	if _, err := job.Wait(testContext(t)); err == nil {
		t.Error("the job did not end by Cancel")
	}
	if reasons, err := s.Explain(testContext(t)); err != nil || len(reasons) > 0 {
		t.Errorf("once the job has ended it says %v, %v", reasons, err)
	}
}

// TestExplainStopped is refused as other calls are.
func TestExplainStopped(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.InProcess(1)})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if reasons, err := s.Explain(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v, %v", reasons, err)
	}
	if err := s.Stop(testContext(t)); err != nil {
		t.Error(err)
	}
	if reasons, err := s.Explain(t.Context()); !errors.Is(err, sleigh.ErrStopped) {
		t.Errorf("got %v, %v", reasons, err)
	}
}
