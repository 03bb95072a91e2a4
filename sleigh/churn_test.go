package sleigh_test

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// squareSoon squares after a moment.
var squareSoon = sleigh.Register("squareSoon", func(ctx context.Context, x int) (int, error) {
	select {
	case <-time.After(time.Millisecond):
		return x * x, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
})

// TestS12Churn has many workers come and leave while jobs run: by a signal, or as their process or their keeper is killed. No
// result is lost, and nothing is left of them.
func TestS12Churn(t *testing.T) {
	t.Parallel()
	comings, together := 12, 3
	if os.Getenv("NETSPACES_ALL") != "" {
		comings, together = 200, 5
	}
	rdb := open(t, open(t, "local://").URL())
	s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(1), Lease: 2 * time.Second})
	var coming sync.WaitGroup
	places := make(chan struct{}, together)
	over := make(chan struct{})
	random := rand.New(rand.NewPCG(1, 2))
	go func() {
		defer close(over)
		defer coming.Wait()
		for range comings {
			places <- struct{}{}
			how := random.IntN(3)
			coming.Go(func() {
				defer func() { <-places }()
				comeAndGo(t, s, how)
			})
		}
	}()
	jobs := 0
	for running := true; running; jobs++ {
		const n = 500
		got, err := squareSoon.EachElem(testContext(t), s, upTo(n), nil)
		wantSquares(t, got, err, n)
		select {
		case <-over:
			running = false
		default:
		}
	}
	t.Logf("%d jobs while %d workers came and left", jobs, comings)
	awaitRanks(t, s, 0)
	eventually(t, "all processes end", func() bool { return len(workersOf(t, s.Name())) == 0 })
	eventually(t, "the master hears of that", func() bool { return s.Workers() == 1 })
}

// comeAndGo has a worker come, which leaves once it has done something.
func comeAndGo(t *testing.T, s *sleigh.Sleigh, how int) {
	h := volunteer(t, clientOf(t, s), s.Name())
	var worker sleigh.WorkerStatus
	eventually(t, "it has done something", func() bool {
		workers := workersUnder(t, h.cmd.Process.Pid)
		for _, w := range statusOf(t, s).Workers {
			if slices.Contains(workers, w.Info.PID) && w.Done > 0 {
				worker = w
			}
		}
		return worker.Done > 0
	})
	switch how {
	case 0:
		h.signal(syscall.SIGKILL)
		h.wait()
		return
	case 1:
		kill(t, worker.Info.PID, syscall.SIGKILL)
		eventually(t, "it is replaced", func() bool {
			workers := workersUnder(t, h.cmd.Process.Pid)
			return len(workers) == 1 && workers[0] != worker.Info.PID
		})
	}
	h.signal(syscall.SIGTERM)
	if code := h.wait(); code != 0 {
		t.Errorf("it ended with %d: %s", code, h.stderr.String())
	}
}

// workersUnder lists the processes that a keeper has launched.
func workersUnder(t *testing.T, keeper int) []int {
	t.Helper()
	var pids []int
	for _, p := range processes(t) {
		if p.parent == keeper {
			pids = append(pids, p.pid)
		}
	}
	return pids
}
