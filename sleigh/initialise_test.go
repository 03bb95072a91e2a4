package sleigh_test

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// prepared is how many times this process ran prepare.
var prepared atomic.Int64

var prepare = sleigh.Register("prepare", func(_ context.Context, add int) (int, error) {
	return os.Getpid(), func() error {
		if prepared.Add(int64(add)) > int64(add) {
			return errors.New("this worker was prepared twice")
		}
		return nil
	}()
})

var readiness = sleigh.Register("readiness", func(ctx context.Context, fatal bool) (int64, error) {
	if fatal {
		if ok, err := sleigh.WorkerFrom(ctx).User().TryFetch(ctx, "kill", new(bool)); ok || err != nil {
			return 0, errors.Join(err, syscall.Kill(os.Getpid(), syscall.SIGKILL))
		}
	}
	return prepared.Load(), nil
})

// TestS12Initialise prepares workers, those too that come later, each once and before its first task.
func TestS12Initialise(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(2)})
		ctx := testContext(t)
		pids, err := prepare.Initialise(ctx, s, 5)
		if err != nil || len(pids) != 2 || pids[0] == pids[1] {
			t.Fatalf("%v, %v", pids, err)
		}
		if err := s.User().StoreAll(ctx, "kill", true, true); err != nil {
			t.Fatal(err)
		}
		ready := func(fatal bool) {
			elems := func(yield func(bool) bool) {
				for range 100 {
					if !yield(fatal) {
						return
					}
				}
			}
			got, err := readiness.EachElem(ctx, s, elems, &sleigh.JobOptions{Chunk: 1})
			if err != nil {
				t.Fatal(err)
			}
			for i, n := range got {
				if n != 5 {
					t.Errorf("element %d met a worker that is prepared by %d", i, n)
				}
			}
		}
		ready(true)
		ready(false)
	})
}
