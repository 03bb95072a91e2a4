package sleigh_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// join joins the test's team, leaves it at the end of the test, and then disbands it.
func join(t *testing.T, rdb *redisx.Client, name string, o *sleigh.Options) *sleigh.Sleigh {
	t.Helper()
	s, err := sleigh.Join(testContext(t), rdb, name, o)
	if err != nil {
		t.Fatal(err)
	}
	clients.Store(s, rdb)
	t.Cleanup(func() {
		clients.Delete(s)
		if t.Failed() {
			tellVariables(t, rdb, s)
		}
		if err := s.Stop(context.Background()); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return s
}

// disband ends a team at the end of the test, after its masters have left, and wants nothing of it to be left.
func disband(t *testing.T, rdb *redisx.Client, name string) {
	t.Helper()
	t.Cleanup(func() {
		s, err := sleigh.Join(context.Background(), rdb, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Disband(context.Background()); err != nil {
			t.Errorf("Disband: %v", err)
		}
		for _, name := range []string{name, name + "/user"} {
			if _, err := workspace.Use(context.Background(), rdb, name, false); !errors.Is(err, workspace.ErrNoWorkspace) {
				t.Errorf("%q is there: %v", name, err)
			}
		}
	})
}

// TestS13TeamLasts has two masters join a team, one after the other and together; the second one has the workers.
func TestS13TeamLasts(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		name := "lasts" + t.Name()[len(t.Name())-3:]
		disband(t, rdb, name)
		first := join(t, rdb, name, nil)
		second := join(t, rdb, name, &sleigh.Options{Launch: sleigh.Local(2)})
		for _, s := range []*sleigh.Sleigh{first, second} {
			got, err := square.EachElem(testContext(t), s, upTo(1000), nil)
			wantSquares(t, got, err, 1000)
		}
		if err := first.User().Store(testContext(t), "left", 1); err != nil {
			t.Fatal(err)
		}
		if err := first.Stop(testContext(t)); err != nil {
			t.Fatal(err)
		}
		if _, err := square.EachElem(testContext(t), first, upTo(1), nil); !errors.Is(err, sleigh.ErrStopped) {
			t.Errorf("after Stop: %v", err)
		}
		got, err := square.EachElem(testContext(t), second, upTo(1000), nil)
		wantSquares(t, got, err, 1000)
		if err := second.Stop(testContext(t)); err != nil {
			t.Fatal(err)
		}
		third := join(t, rdb, name, nil)
		if n := fetch[int](t, third.User(), "left"); n != 1 {
			t.Errorf("User has %d", n)
		}
		if third.Workers() != 0 {
			t.Errorf("%d workers are left of a master that has left", third.Workers())
		}
	})
}

// TestS13UnknownFunction has a worker of a team that lasts, whose program does not know a function, leave it to others.
func TestS13UnknownFunction(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		name := "knows" + t.Name()[len(t.Name())-3:]
		disband(t, rdb, name)
		s := join(t, rdb, name, &sleigh.Options{Launch: sleigh.InProcess(1)})
		ctx, cancel := context.WithCancel(testContext(t))
		done := make(chan error)
		go func() {
			_, err := sleigh.Unregistered[int, int]("unheard of").EachElem(ctx, s, upTo(10), nil)
			done <- err
		}()
		eventually(t, "the job begins", func() bool {
			st, err := s.Status(ctx)
			return err == nil && len(st.Jobs) == 1
		})
		got, err := square.EachElem(ctx, s, upTo(100), nil)
		wantSquares(t, got, err, 100)
		select {
		case err := <-done:
			t.Errorf("a job of a function that nobody knows has ended: %v", err)
		default:
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("it ended by %v", err)
		}
	})
}

// TestS13OneKind refuses to join a sleigh that somebody has started, and to start one that lasts.
func TestS13OneKind(t *testing.T) {
	t.Parallel()
	rdb := open(t, "mem://")
	started := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(1)})
	if _, err := sleigh.Join(testContext(t), rdb, started.Name(), nil); !errors.Is(err, sleigh.ErrTaken) {
		t.Errorf("Join of a started one: %v", err)
	}
	disband(t, rdb, "kind")
	joined := join(t, rdb, "kind", &sleigh.Options{Launch: sleigh.InProcess(1)})
	if s, err := sleigh.Start(testContext(t), rdb, &sleigh.Options{Name: "kind", Launch: sleigh.InProcess(1)}); err == nil {
		_ = s.Stop(context.Background())
		t.Error("a team that lasts was started")
	}
	got, err := square.EachElem(testContext(t), joined, slices.Values([]int{3}), nil)
	if err != nil || !slices.Equal(got, []int{9}) {
		t.Errorf("%v, %v", got, err)
	}
}

// TestS13OneKindAtOnce starts and joins a sleigh of one name at the same time: one of the two is told that the name is taken. And
// two join it, who have to agree on its terms.
func TestS13OneKindAtOnce(t *testing.T) {
	t.Parallel()
	const rounds = 8
	rdb := open(t, "mem://")
	ctx := testContext(t)
	for i := range rounds {
		name := fmt.Sprint("at once ", i)
		var started, joined *sleigh.Sleigh
		var startErr, joinErr error
		var wg sync.WaitGroup
		wg.Go(func() {
			started, startErr = sleigh.Start(ctx, rdb, &sleigh.Options{Name: name, Launch: sleigh.InProcess(1)})
		})
		wg.Go(func() { joined, joinErr = sleigh.Join(ctx, rdb, name, nil) })
		wg.Wait()
		if (startErr == nil) == (joinErr == nil) || !errors.Is(errors.Join(startErr, joinErr), sleigh.ErrTaken) {
			t.Errorf("Start: %v, Join: %v", startErr, joinErr)
		}
		if startErr == nil {
			stopNow(t, started)
		}
		if joinErr != nil {
			continue
		}
		if err := joined.User().Store(ctx, "x", 1); err != nil { // it is still there
			t.Error(err)
		}
		if err := joined.Disband(ctx); err != nil {
			t.Error(err)
		}
	}
	for i := range rounds {
		name := fmt.Sprint("together ", i)
		var both [2]*sleigh.Sleigh
		var wg sync.WaitGroup
		for k := range both {
			wg.Go(func() {
				var err error
				if both[k], err = sleigh.Join(ctx, rdb, name, &sleigh.Options{Lease: time.Duration(2+k) * time.Second}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		if a, b := both[0].Lease(), both[1].Lease(); a != b {
			t.Errorf("masters of one team have leases of %v and %v", a, b)
		}
		stopNow(t, both[0])
		if err := both[1].Disband(ctx); err != nil {
			t.Error(err)
		}
	}
}

// TestS13DisbandEnds disbands a team although the context has ended.
func TestS13DisbandEnds(t *testing.T) {
	t.Parallel()
	rdb := open(t, "mem://")
	s, err := sleigh.Join(testContext(t), rdb, "ends", &sleigh.Options{Launch: sleigh.InProcess(1)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(testContext(t))
	cancel()
	if err := s.Disband(ctx); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"ends", "ends/user"} {
		if _, err := workspace.Use(testContext(t), rdb, name, false); !errors.Is(err, workspace.ErrNoWorkspace) {
			t.Errorf("%q is there: %v", name, err)
		}
	}
}

// TestS13OtherWorkspace does not start a sleigh where there is a workspace of that name already, which would end with it.
func TestS13OtherWorkspace(t *testing.T) {
	t.Parallel()
	rdb := open(t, "mem://")
	ws, err := workspace.Use(testContext(t), rdb, "weather", true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.Close() }()
	if s, err := sleigh.Start(testContext(t), rdb, &sleigh.Options{Name: "weather", Launch: sleigh.InProcess(1)}); !errors.Is(err, sleigh.ErrTaken) {
		t.Errorf("Start: %v", err)
		if err == nil {
			stopNow(t, s)
		}
	}
	if err := ws.Store(testContext(t), "celsius", 17); err != nil {
		t.Error(err)
	}
}
