package sleigh_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// volunteer starts a worker by hand, as somebody on another machine would.
func volunteer(t *testing.T, rdb *redisx.Client, team string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	worker := exec.Command(self)
	worker.Env = append(os.Environ(), "REDIS_URL="+rdb.URL(), "NETSPACES_TEAM="+team)
	worker.Stderr = os.Stderr
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = worker.Process.Kill()
		_ = worker.Wait()
	})
	return worker
}

// pidsOf asks all workers for their processes, by rank.
func pidsOf(t *testing.T, s *sleigh.Sleigh) ([]int, error) {
	ids, err := identify.EachWorker(testContext(t), s, 0)
	var pids []int
	for _, id := range ids {
		pids = append(pids, id.PID)
	}
	return pids, err
}

// Workers that are started by hand, before and after the master, do its work; one too many takes the place of one that is
// killed; all end with the sleigh.
func TestS2Manual(t *testing.T) {
	t.Parallel()
	// The address of a server that is not this program's own, as far as it knows.
	rdb := open(t, open(t, "local://").URL())
	const team = "by-hand"
	workers := map[int]*exec.Cmd{}
	early := volunteer(t, rdb, team)
	workers[early.Process.Pid] = early
	s, err := sleigh.Start(testContext(t), rdb, &sleigh.Options{Name: team, Launch: sleigh.Manual(2), Lease: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	for range 2 {
		w := volunteer(t, rdb, team)
		workers[w.Process.Pid] = w
	}
	pids, err := pidsOf(t, s)
	if err != nil || len(pids) != 2 || pids[0] == pids[1] || workers[pids[0]] == nil || workers[pids[1]] == nil {
		t.Fatalf("got the workers %v, %v; started were %v", pids, err, workers)
	}
	kill(t, pids[0], syscall.SIGKILL)
	now, err := pidsOf(t, s)
	if err != nil || len(now) != 2 || now[0] == pids[0] || now[1] != pids[1] || workers[now[0]] == nil {
		t.Fatalf("after a kill: %v, %v; before: %v", now, err, pids)
	}
	if err := s.Stop(testContext(t)); err != nil {
		t.Error(err)
	}
	for p, w := range workers {
		if err := w.Wait(); p != pids[0] && err != nil {
			t.Errorf("a worker ended with %v", err)
		}
	}
}

func TestS2ManualNeedsASharedRedis(t *testing.T) {
	t.Parallel()
	_, err := sleigh.Start(testContext(t), open(t, "mem://"), &sleigh.Options{Launch: sleigh.Manual(1)})
	if err == nil {
		t.Error("it would wait for workers that cannot come")
	}
}

func TestNameIsTaken(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		start(t, rdb, &sleigh.Options{Name: "one", Launch: sleigh.InProcess(1)})
		s, err := sleigh.Start(testContext(t), rdb, &sleigh.Options{Name: "one", Launch: sleigh.InProcess(1)})
		if !errors.Is(err, sleigh.ErrTaken) {
			t.Errorf("got %v, %v", s, err)
		}
	})
}
