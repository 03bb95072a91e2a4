package sleigh_test

import (
	"math"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// TestS13MasterDies has a master end without a Stop while its workers run functions.
func TestS13MasterDies(t *testing.T) {
	t.Parallel()
	for name, signal := range map[string]syscall.Signal{
		"kill -9": syscall.SIGKILL, "terminated": syscall.SIGTERM, "ctrl-c": syscall.SIGINT,
	} {
		t.Run(name, func(t *testing.T) {
			rdb := openAt(t, "local://")
			ctx := testContext(t)
			master := play(t, "master")
			master.say(rdb.URL())
			sleigh := master.hear()
			user, err := workspace.Use(ctx, rdb, sleigh+"/user", false)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				fetch[visit](t, user, "begun")
			}
			if n := len(workersOf(t, sleigh)); n != 2 {
				t.Errorf("there are %d workers", n)
			}

			kill(t, master.cmd.Process.Pid, signal)
			_ = master.cmd.Wait()
			eventually(t, "the workers end by themselves", func() bool { return len(workersOf(t, sleigh)) == 0 })
			if err := user.Close(); err != nil {
				t.Error(err)
			}

			// As long as the lease lasts, nobody may clean up.
			touch(t, rdb)
			if rdb.Redis().Exists(ctx, "nws:{"+sleigh+"}:ws").Val() == 0 {
				t.Error("the workspace is gone before its lease has ended")
			}
			endLease(t, rdb, sleigh)
			touch(t, rdb)
			wantNoKeys(t, rdb, sleigh)
			if keys := rdb.Redis().Keys(ctx, "nws:*").Val(); len(keys) > 0 {
				t.Errorf("keys left: %v", keys)
			}
		})
	}
}

// touch is what any other client of the project may do.
func touch(t *testing.T, rdb *redisx.Client) {
	t.Helper()
	ws, err := workspace.Open(t.Context(), rdb, "unrelated", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := ws.Close(); err != nil {
		t.Error(err)
	}
}

// endLease has the time pass until the leases of a sleigh's owner have ended.
func endLease(t *testing.T, rdb *redisx.Client, sleigh string) {
	t.Helper()
	for name, key := range map[string]string{sleigh: "nws:{" + sleigh + "}:ws", sleigh + "/user": "nws:{" + sleigh + "}/user:ws"} {
		if n := rdb.Redis().HExists(t.Context(), key, "lease").Val(); !n {
			t.Errorf("%s has no lease", key)
		}
		if score := rdb.Redis().ZScore(t.Context(), "nws:names", name).Val(); score == 0 || math.IsInf(score, 1) {
			t.Errorf("%s is listed with %v", name, score)
		}
		if err := rdb.Redis().HSet(t.Context(), key, "lease", 1).Err(); err != nil {
			t.Error(err)
		}
		if err := rdb.Redis().ZAdd(t.Context(), "nws:names", redis.Z{Score: 1, Member: name}).Err(); err != nil {
			t.Error(err)
		}
	}
}
