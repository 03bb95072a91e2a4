package sleigh_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
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

// TestExplainSilent stops a worker process that has a task, and one for it alone before it.
func TestExplainSilent(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(2), Lease: time.Minute})
		awaitRanks(t, s, 0, 1)
		job, err := wait.Submit(testContext(t), s, upTo(1), &sleigh.JobOptions{NoCopies: true, Chunk: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer job.Cancel()
		one := fetch[visit](t, s.User(), "begun")
		host, err := os.Hostname()
		if err != nil {
			t.Fatal(err)
		}
		kill(t, one.PID, syscall.SIGSTOP)
		goOn := sync.OnceFunc(func() { kill(t, one.PID, syscall.SIGCONT) })
		defer goOn()
		ended := make(chan error, 1)
		go func() {
			_, err := square.EachWorker(testContext(t), s, 7)
			ended <- err
		}()
		r := explained(t, s, sleigh.HostSilent, "1 task is claimed on host "+host+", last seen ")
		if r.Tasks != 1 || r.Elements != 1 || !slices.Equal(r.Ranks, []int{one.Rank}) || r.Hosts[0] != host || r.For < 6*time.Second || r.In <= 0 || r.In > time.Minute {
			t.Errorf("the reason is %+v", r)
		}
		explainedFirst(t, s, sleigh.HostSilent)
		r = explained(t, s, sleigh.RankMissing, fmt.Sprintf("(square) waits for worker %d, and there is none of that rank", one.Rank))
		if r.Func != "square" || !slices.Equal(r.Ranks, []int{one.Rank}) {
			t.Errorf("the reason is %+v", r)
		}
		goOn()
		if err := <-ended; err != nil {
			t.Error(err)
		}
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
		for more := true; more && ctx.Err() == nil; {
			more = yield(bad)
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

// idles returns when its context ends.
var idles = sleigh.Register("idles", func(ctx context.Context, x int) (int, error) {
	<-ctx.Done()
	return 0, context.Cause(ctx)
})

// TestExplainJobs has four jobs at a time that do not move, each for another reason.
func TestExplainJobs(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		awaitRanks(t, s, 0, 1)
		ctx, cancel := context.WithCancel(testContext(t))
		var accumulating sync.WaitGroup
		defer accumulating.Wait()
		defer cancel()
		elems := make(chan int, 1)
		elems <- 3
		streamed, err := square.Submit(ctx, s, sleigh.FromChannel(ctx, elems), nil)
		if err != nil {
			t.Fatal(err)
		}
		taken := make(chan struct{})
		accumulating.Go(func() {
			_ = square.Accumulate(ctx, s, upTo(2), nil, func(int, int) error {
				close(taken)
				<-ctx.Done()
				return ctx.Err()
			})
		})
		<-taken
		eventually(t, "the one element is done", func() bool { return streamed.Check().Done == 1 })
		long, err := idles.Submit(ctx, s, upTo(2), &sleigh.JobOptions{NoCopies: true})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "both workers have something to do", func() bool {
			st := statusOf(t, s)
			return st.Workers[0].State == sleigh.Working && st.Workers[1].State == sleigh.Working
		})
		late, err := square.Submit(ctx, s, upTo(2), &sleigh.JobOptions{NoCopies: true})
		if err != nil {
			t.Fatal(err)
		}
		if r := explained(t, s, sleigh.NoInput, "has given none for "); r.Job != streamed.ID() || r.Elements != 1 || r.For < 5*time.Second {
			t.Errorf("the reason is %+v", r)
		}
		if r := explained(t, s, sleigh.NotTaken, "has results that nobody takes"); r.Func != "square" || r.For < 5*time.Second {
			t.Errorf("the reason is %+v", r)
		}
		if r := explained(t, s, sleigh.LongElement, "1 other takes long, too"); r.Job != long.ID() || r.Func != "idles" || r.Elements != 2 ||
			len(r.Ranks) != 2 || len(r.Hosts) != 2 || r.For < 5*time.Second {
			t.Errorf("the reason is %+v", r)
		}
		r := explained(t, s, sleigh.WindowTaken, "the workers are taken by job "+long.ID())
		if r.Job != late.ID() || !slices.Equal(r.Jobs, []string{long.ID()}) {
			t.Errorf("the reason is %+v", r)
		}
	})
}

// TestExplainNoAnswer stops a Redis.
func TestExplainNoAnswer(t *testing.T) {
	t.Parallel()
	rdb := openAt(t, "local://")
	s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(1)})
	awaitRanks(t, s, 0)
	info, err := rdb.Redis().InfoMap(testContext(t), "server").Result()
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(info["Server"]["process_id"])
	if err != nil {
		t.Fatal(err)
	}
	kill(t, pid, syscall.SIGSTOP)
	goOn := sync.OnceFunc(func() { kill(t, pid, syscall.SIGCONT) })
	defer goOn()
	if r := explained(t, s, sleigh.NoAnswer, "Redis has not answered for "); r.Detail == "" || r.For < 5*time.Second {
		t.Errorf("the reason is %+v", r)
	}
	goOn()
	eventually(t, "the team works again", func() bool {
		reasons, err := s.Explain(testContext(t))
		return err == nil && len(reasons) == 0
	})
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
