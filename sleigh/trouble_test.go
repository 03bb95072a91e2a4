package sleigh_test

import (
	"context"
	"errors"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// troubled runs a job while something is done to Redis again and again, as often as some results have come.
func troubled(t *testing.T, trouble func(ctx context.Context, rdb redis.UniversalClient) error) {
	t.Helper()
	rdb := open(t, "local://")
	admin, err := redisx.Open(t.Context(), rdb.URL(), nil) // so that who makes the trouble does not meet it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close() })
	for name, launch := range map[string]sleigh.Launcher{"goroutines": sleigh.InProcess(2), "processes": sleigh.Local(2)} {
		t.Run(name, func(t *testing.T) {
			s := start(t, rdb, &sleigh.Options{Launch: launch})
			if _, err := identify.EachWorker(testContext(t), s, 0); err != nil { // a worker that cannot even join is another matter
				t.Fatal(err)
			}
			const n, times = 4000, 15
			made := 0
			got, err := square.EachElem(testContext(t), s, upTo(n), &sleigh.JobOptions{Chunk: 1, LoadFactor: 4, OnDone: func(done int) {
				if done < made*n/times {
					return
				}
				made++
				if err := trouble(t.Context(), admin.Redis()); err != nil {
					t.Error(err)
				}
			}})
			wantSquares(t, got, err, n)
			if made < 3 {
				t.Errorf("there was trouble only %d times", made)
			}
		})
	}
}

// TestS4ConnectionsCut cuts all connections of master and workers.
func TestS4ConnectionsCut(t *testing.T) {
	t.Parallel()
	troubled(t, func(ctx context.Context, rdb redis.UniversalClient) error {
		return errors.Join(rdb.ClientKillByFilter(ctx, "TYPE", "normal", "SKIPME", "yes").Err(),
			rdb.ClientKillByFilter(ctx, "TYPE", "pubsub").Err())
	})
}

// TestS4SubscriptionsCut cuts only the connections by which workers hear of tasks, and the master of results.
func TestS4SubscriptionsCut(t *testing.T) {
	t.Parallel()
	troubled(t, func(ctx context.Context, rdb redis.UniversalClient) error {
		return rdb.ClientKillByFilter(ctx, "TYPE", "pubsub").Err()
	})
}

// TestS4ScriptsForgotten has Redis forget all scripts, as after a restart.
func TestS4ScriptsForgotten(t *testing.T) {
	t.Parallel()
	troubled(t, func(ctx context.Context, rdb redis.UniversalClient) error { return rdb.ScriptFlush(ctx).Err() })
}

// TestS4SleighDeleted deletes the workspace of a sleigh while functions wait: calls end, and so do the workers.
func TestS4SleighDeleted(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		ended := make(chan error, 2)
		go func() {
			_, err := wait.EachElem(testContext(t), s, upTo(10), nil)
			ended <- err
		}()
		go func() {
			_, err := wait.EachWorker(testContext(t), s, 7)
			ended <- err
		}()
		for range 4 {
			fetch[visit](t, s.User(), "begun")
		}
		if err := workspace.Delete(t.Context(), clientOf(t, s), s.Name()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := <-ended; !errors.Is(err, workspace.ErrNoWorkspace) {
				t.Errorf("got %v", err)
			}
		}
		eventually(t, "the workers end", func() bool { return len(workersOf(t, s.Name())) == 0 })
		if _, err := square.EachElem(testContext(t), s, upTo(3), nil); !errors.Is(err, workspace.ErrNoWorkspace) {
			t.Errorf("a further call: %v", err)
		}
	})
}

// TestS4UserWorkspaceDeleted deletes what functions wait in: they fail, and the team goes on.
func TestS4UserWorkspaceDeleted(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		ended := make(chan error, 1)
		go func() {
			_, err := wait.EachElem(testContext(t), s, upTo(2), nil)
			ended <- err
		}()
		for range 2 {
			fetch[visit](t, s.User(), "begun")
		}
		if err := workspace.Delete(t.Context(), clientOf(t, s), s.User().Name()); err != nil {
			t.Fatal(err)
		}
		var failed sleigh.TaskErrors
		if err := <-ended; !errors.As(err, &failed) || len(failed) != 2 {
			t.Errorf("got %v", err)
		}
		got, err := square.EachElem(testContext(t), s, upTo(20), nil)
		wantSquares(t, got, err, 20)
	})
}

// TestS4ResultsDeleted deletes the results of a job: the call says so.
func TestS4ResultsDeleted(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		ended := make(chan error, 1)
		go func() {
			_, err := wait.EachElem(testContext(t), s, upTo(10), nil)
			ended <- err
		}()
		fetch[visit](t, s.User(), "begun")
		own, err := workspace.Use(t.Context(), clientOf(t, s), s.Name(), false)
		if err != nil {
			t.Fatal(err)
		}
		defer own.Close()
		vars, err := own.ListVars(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range vars {
			if len(v.Name) > 7 && v.Name[:7] == "result:" {
				if err := own.DeleteVar(t.Context(), v.Name); err != nil {
					t.Error(err)
				}
			}
		}
		if err := <-ended; !errors.Is(err, sleigh.ErrEnded) {
			t.Errorf("got %v", err)
		}
		openGate(t, s.User())
		got, err := square.EachElem(testContext(t), s, upTo(20), nil)
		wantSquares(t, got, err, 20)
	})
}
