package sleigh_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// TestS4TasksLost takes tasks away from under a job, as a failover or a person might: they are handed out again.
func TestS4TasksLost(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(2)})
		ctx := testContext(t)
		job, err := wait.Submit(ctx, s, upTo(50), nil)
		if err != nil {
			t.Fatal(err)
		}
		fetch[visit](t, s.User(), "begun")
		key := "nws:{" + s.Name() + "}:values:task"
		eventually(t, "tasks wait", func() bool { return rdb.Redis().LLen(ctx, key).Val() > 3 })
		if err := rdb.Redis().LTrim(ctx, key, 2, -1).Err(); err != nil {
			t.Fatal(err)
		}
		own, err := workspace.Use(ctx, rdb, s.Name(), false)
		if err != nil {
			t.Fatal(err)
		}
		openGate(t, s.User())
		got, err := job.Wait(ctx)
		if err != nil || len(got) != 50 {
			t.Errorf("%d results, %v", len(got), err)
		}
		if err := own.Close(); err != nil {
			t.Error(err)
		}
	})
}

// dawdle takes its time over the first run of element 0, until it is not wanted any more.
var dawdle = sleigh.Register("dawdle", func(ctx context.Context, x int) (int, error) {
	if x != 0 {
		return x * x, nil
	}
	first, err := sleigh.WorkerFrom(ctx).User().TryFetch(ctx, "first", new(bool))
	if !first || err != nil {
		return 0, err
	}
	<-ctx.Done()
	return 0, errors.Join(ctx.Err(), sleigh.WorkerFrom(ctx).User().Store(context.WithoutCancel(ctx), "told", true))
})

// TestS4Straggler has a worker that is free run a copy of a task that takes long. The other one is told to stop.
func TestS4Straggler(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		if err := s.User().Store(testContext(t), "first", true); err != nil {
			t.Fatal(err)
		}
		got, err := dawdle.EachElem(testContext(t), s, upTo(20), nil)
		wantSquares(t, got, err, 20)
		fetch[bool](t, s.User(), "told")
	})
}

// TestS4Rollback brings back what Redis held some time ago, as a failover does that loses the last writes, and ends all
// connections, or, as behind a proxy, none.
func TestS4Rollback(t *testing.T) {
	t.Parallel()
	for name, proxied := range map[string]bool{"connections end": false, "connections stay": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rollBack(t, proxied)
		})
	}
}

func rollBack(t *testing.T, proxied bool) {
	t.Helper()
	needRedisServer(t)
	rdb := open(t, "local://")
	s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(2), Lease: 2 * time.Second})
	ctx, redis := testContext(t), rdb.Redis()
	const n = 200
	job, err := step.Submit(ctx, s, repeat("x", n), &sleigh.JobOptions{Chunk: 2})
	if err != nil {
		t.Fatal(err)
	}
	letGo := func(n int) {
		for range n {
			if err := s.User().Store(ctx, "go", true); err != nil {
				t.Fatal(err)
			}
		}
	}
	letGo(30)
	eventually(t, "some are done", func() bool { return job.Check().Done >= 20 })
	keys := "nws:{" + s.Name() + "}:*"
	old, err := redis.Eval(ctx, `
		local all = {}
		for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
			all[#all + 1] = key
			all[#all + 1] = redis.call('DUMP', key)
		end
		return all`, nil, keys).StringSlice()
	if err != nil {
		t.Fatal(err)
	}
	letGo(60)
	eventually(t, "more are done", func() bool { return job.Check().Done >= 80 })
	if err := redis.Eval(ctx, `
		for _, key in ipairs(redis.call('KEYS', table.remove(ARGV, 1))) do redis.call('DEL', key) end
		for i = 1, #ARGV, 2 do redis.call('RESTORE', ARGV[i], 0, ARGV[i + 1]) end
		return 'OK'`, nil, append([]string{keys}, old...)).Err(); err != nil {
		t.Fatal(err)
	}
	if !proxied {
		redis.ClientKillByFilter(ctx, "TYPE", "pubsub")
		redis.ClientKillByFilter(ctx, "TYPE", "normal")
	}
	letGo(2 * n)
	got, err := job.Wait(ctx)
	if err != nil || len(got) != n {
		t.Errorf("%d results, %v", len(got), err)
	}
}

func repeat[T any](elem T, n int) func(yield func(T) bool) {
	return func(yield func(T) bool) {
		for range n {
			if !yield(elem) {
				return
			}
		}
	}
}
