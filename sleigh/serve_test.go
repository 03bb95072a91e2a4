package sleigh_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/sleigh"
)

// server is a call of Serve in this process.
type server struct {
	t     *testing.T
	leave context.CancelFunc
	now   context.CancelFunc
	over  chan struct{}
	err   error

	mu     sync.Mutex
	states []sleigh.Serving
}

// serve makes this process the keeper of a worker until the end of the test.
func serve(t *testing.T, rdb *redisx.Client, team string, slots int) *server {
	t.Helper()
	sv := &server{t: t, over: make(chan struct{})}
	var ctx, now context.Context
	ctx, sv.leave = context.WithCancel(context.Background())
	now, sv.now = context.WithCancel(context.Background())
	go func() {
		defer close(sv.over)
		sv.err = sleigh.Serve(ctx, rdb, team, &sleigh.ServeOptions{Slots: slots, Now: now, Stderr: io.Discard, OnState: func(st sleigh.Serving) {
			sv.mu.Lock()
			defer sv.mu.Unlock()
			sv.states = append(sv.states, st)
		}})
	}()
	t.Cleanup(func() {
		sv.now()
		_ = sv.wait()
	})
	return sv
}

// wait returns what Serve does.
func (sv *server) wait() error {
	sv.t.Helper()
	select {
	case <-sv.over:
	case <-time.After(patience):
		sv.t.Fatal("Serve does not return")
	}
	return sv.err
}

// becomes waits for a state.
func (sv *server) becomes(what string, ok func(st sleigh.Serving) bool) (found sleigh.Serving) {
	sv.t.Helper()
	eventually(sv.t, what, func() bool {
		sv.mu.Lock()
		defer sv.mu.Unlock()
		if len(sv.states) == 0 {
			return false
		}
		found = sv.states[len(sv.states)-1]
		return ok(found)
	})
	return found
}

// TestS2Serve waits for a team, works for it, has its worker killed, and leaves when what runs has ended.
func TestS2Serve(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		ctx := testContext(t)
		name := "served " + t.Name()[len("TestS2Serve/"):]
		sv := serve(t, rdb, name, 2)
		disband(t, rdb, name)
		s := join(t, rdb, name, nil)
		awaitRanks(t, s, 0)
		st := sv.becomes("it has joined", func(st sleigh.Serving) bool { return st.Joined })
		if st.Rank != 0 || st.Launched != 1 || st.PID != pidAt(t, s, 0) || statusOf(t, s).Workers[0].Info.Slots != 2 {
			t.Errorf("it is %+v", st)
		}
		if got, err := square.EachElem(ctx, s, upTo(7), nil); err != nil || len(got) != 7 {
			t.Errorf("%v, %v", got, err)
		}
		sv.becomes("it tells what it has done", func(st sleigh.Serving) bool { return st.Done == 7 && st.State == sleigh.Idle })

		kill(t, st.PID, syscall.SIGKILL)
		again := sv.becomes("another one has joined", func(now sleigh.Serving) bool { return now.Joined && now.PID != st.PID })
		if again.Launched != 2 || again.Rank != 0 {
			t.Errorf("it is %+v", again)
		}
		job, err := wait.Submit(ctx, s, upTo(2), &sleigh.JobOptions{Chunk: 1})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			fetch[visit](t, s.User(), "begun")
		}
		sv.becomes("it runs two elements", func(st sleigh.Serving) bool { return st.Running == 2 && st.State == sleigh.Working })
		sv.leave()
		sv.becomes("it is about to leave", func(st sleigh.Serving) bool { return st.State == sleigh.Leaving })
		openGate(t, s.User())
		if got, err := job.Wait(ctx); err != nil || len(got) != 2 {
			t.Errorf("%v, %v", got, err)
		}
		if err := sv.wait(); err != nil {
			t.Errorf("Serve: %v", err)
		}
		if last := sv.becomes("the last state", func(sleigh.Serving) bool { return true }); last.Joined || last.PID != 0 || last.Done < 7 {
			t.Errorf("at last it is %+v", last)
		}
		awaitRanks(t, s)
	})
}

// TestS2ServeEnds has Serve end at once while a function runs, by an order, and with the team.
func TestS2ServeEnds(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		ctx := testContext(t)
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(1)})
		awaitRanks(t, s, 0)
		for what, end := range map[string]func(sv *server){
			"now":     func(sv *server) { sv.now() },
			"drained": func(*server) { _ = s.DrainWorker(ctx, 1) },
		} {
			sv := serve(t, rdb, s.Name(), 0)
			awaitRanks(t, s, 0, 1)
			job, err := wait.Submit(ctx, s, upTo(2), &sleigh.JobOptions{Chunk: 1, NoCopies: true})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				fetch[visit](t, s.User(), "begun")
			}
			if end(sv); what == "drained" {
				awaitLeaving(t, s)
				openGate(t, s.User())
			}
			if err := sv.wait(); err != nil {
				t.Errorf("%s: Serve: %v", what, err)
			}
			if what == "now" {
				openGate(t, s.User())
			}
			if got, err := job.Wait(ctx); err != nil || len(got) != 2 {
				t.Errorf("%s: %v, %v", what, got, err)
			}
			for more := true; more; { // for the next one
				if more, err = s.User().TryFetch(ctx, "begun", new(visit)); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.User().DeleteVar(ctx, "gate"); err != nil {
				t.Fatal(err)
			}
			awaitRanks(t, s, 0)
		}
		sv := serve(t, rdb, s.Name(), 0)
		awaitRanks(t, s, 0, 1)
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
		if err := sv.wait(); err != nil {
			t.Errorf("with the team: Serve: %v", err)
		}
	})
}

// farFrom is a server, a team there whose workers have a lease of a second, and a Serve for it by way of a proxy.
func farFrom(t *testing.T, name string) (*redistest.Proxy, *sleigh.Sleigh, *server) {
	t.Helper()
	needRedisServer(t)
	redis := redistest.Start(t)
	proxy := redistest.StartProxy(t, redis.Addr())
	rdb, far := openAt(t, redis.URL()), openAt(t, proxy.URL())
	disband(t, rdb, name)
	s := join(t, rdb, name, &sleigh.Options{Lease: time.Second})
	sv := serve(t, far, name, 1)
	sv.becomes("it has joined", func(st sleigh.Serving) bool { return st.Joined })
	return proxy, s, sv
}

// TestS13ServeLeaves tells a worker to leave while Redis is away.
func TestS13ServeLeaves(t *testing.T) {
	t.Parallel()
	proxy, _, sv := farFrom(t, "left")
	proxy.Refuse()
	sv.leave()
	if err := sv.wait(); err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// TestS13ServeAway has Redis be away for longer than the lease of the worker, which is not in the team then.
func TestS13ServeAway(t *testing.T) {
	t.Parallel()
	proxy, s, sv := farFrom(t, "cut off")
	proxy.Refuse()
	sv.becomes("it is not in the team", func(st sleigh.Serving) bool { return !st.Joined })
	proxy.Allow()
	sv.becomes("it has joined again", func(st sleigh.Serving) bool { return st.Joined })
	if _, err := square.EachElem(testContext(t), s, upTo(3), nil); err != nil {
		t.Error(err)
	}
}

// TestS2ServeWrong has Serve return what waiting does not mend.
func TestS2ServeWrong(t *testing.T) {
	t.Parallel()
	rdb := open(t, "mem://")
	ctx := testContext(t)
	if err := sleigh.Serve(ctx, rdb, "{", nil); err == nil {
		t.Error("Serve of a bad name")
	}
	if err := sleigh.Serve(ctx, rdb, "any", &sleigh.ServeOptions{Slots: -1}); err == nil {
		t.Error("Serve of less than no slot")
	}
	s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(1)})
	changeTerms(t, rdb, s, func(terms map[string]any) {
		terms["functions"] = append(terms["functions"].([]any), "only the master's")
	})
	if err := sleigh.Serve(ctx, rdb, s.Name(), nil); err == nil || !strings.Contains(err.Error(), "does not register only the master's") {
		t.Errorf("Serve of a team that does not want it: %v", err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := sleigh.Serve(ended, rdb, "nobody", nil); err != nil {
		t.Errorf("Serve when it is over: %v", err)
	}
	if _, err := sleigh.Visit(ctx, rdb, "nobody"); !errors.Is(err, sleigh.ErrNoTeam) {
		t.Errorf("Visit then: %v", err)
	}
}
