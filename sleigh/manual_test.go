package sleigh_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// hand is a worker that was started by hand: its keeper.
type hand struct {
	t      *testing.T
	cmd    *exec.Cmd
	stderr lockedBuffer
	ended  chan struct{}
}

// volunteer starts a worker by hand, as somebody on another machine would.
func volunteer(t *testing.T, rdb *redisx.Client, team string, env ...string) *hand {
	t.Helper()
	return volunteerAt(t, rdb.URL(), team, env...)
}

func volunteerAt(t *testing.T, url, team string, env ...string) *hand {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h := &hand{t: t, cmd: exec.Command(self), ended: make(chan struct{})}
	h.cmd.Env = append(append(os.Environ(), "REDIS_URL="+url, "NETSPACES_TEAM="+team), env...)
	h.cmd.Stderr = &h.stderr
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(h.ended)
		_ = h.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = h.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-h.ended:
		case <-time.After(patience):
			t.Error("the worker that was started by hand does not leave")
			_ = h.cmd.Process.Kill()
			<-h.ended
		}
		if t.Failed() {
			t.Logf("a worker that was started by hand, %d, said: %s", h.cmd.Process.Pid, h.stderr.String())
		}
	})
	return h
}

func (h *hand) signal(signal syscall.Signal) {
	h.t.Helper()
	kill(h.t, h.cmd.Process.Pid, signal)
}

// wait waits for its end, and returns the exit code.
func (h *hand) wait() int {
	h.t.Helper()
	select {
	case <-h.ended:
	case <-testContext(h.t).Done():
		h.t.Fatalf("the worker that was started by hand does not end: %s", h.stderr.String())
	}
	return h.cmd.ProcessState.ExitCode()
}

// statusOf asks for the status.
func statusOf(t *testing.T, s *sleigh.Sleigh) *sleigh.Status {
	t.Helper()
	st, err := s.Status(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// ranksOf are the ranks of the workers that have joined.
func ranksOf(t *testing.T, s *sleigh.Sleigh) []int {
	t.Helper()
	var ranks []int
	for _, w := range statusOf(t, s).Workers {
		if w.State != sleigh.Joining {
			ranks = append(ranks, w.Rank)
		}
	}
	return ranks
}

// awaitRanks waits until workers of just these ranks have joined.
func awaitRanks(t *testing.T, s *sleigh.Sleigh, want ...int) {
	t.Helper()
	var got []int
	eventually(t, "the workers come or leave", func() bool { got = ranksOf(t, s); return slices.Equal(got, want) })
}

// pidAt is the process of the worker of a rank.
func pidAt(t *testing.T, s *sleigh.Sleigh, rank int) int {
	t.Helper()
	for _, w := range statusOf(t, s).Workers {
		if w.Rank == rank {
			return w.Info.PID
		}
	}
	return 0
}

// EachWorker gets a worker that came in addition where the one of a rank has gone for good, and nobody else comes.
func TestS3RankOfOneThatHasGone(t *testing.T) {
	t.Parallel()
	rdb := open(t, open(t, "local://").URL())
	s := start(t, rdb, &sleigh.Options{Launch: sleigh.Manual(1), Lease: time.Second})
	first := volunteer(t, rdb, s.Name())
	awaitRanks(t, s, 0)
	volunteer(t, rdb, s.Name())
	volunteer(t, rdb, s.Name())
	awaitRanks(t, s, 0, 1, 2)
	first.signal(syscall.SIGKILL)
	awaitRanks(t, s, 1, 2)
	ids, err := identify.EachWorker(testContext(t), s, 0)
	if err != nil || len(ids) != 1 {
		t.Errorf("got %v, %v", ids, err)
	}
	awaitRanks(t, s, 0, 1)
}

// Workers that are started by hand, before and after the master, do its work, also more of them than it waits for. One
// that is killed is replaced by its keeper. They end with the sleigh.
func TestS2Manual(t *testing.T) {
	t.Parallel()
	// The address of a server that is not this program's own, as far as it knows.
	rdb := open(t, open(t, "local://").URL())
	team := fmt.Sprint("by-hand-", os.Getpid())
	hands := []*hand{volunteer(t, rdb, team)}
	s := start(t, rdb, &sleigh.Options{Name: team, Launch: sleigh.Manual(2), Lease: time.Second})
	if got, err := square.EachElem(testContext(t), s, upTo(10), nil); err != nil || len(got) != 10 {
		t.Errorf("with one worker of two: %v, %v", got, err)
	}
	hands = append(hands, volunteer(t, rdb, team), volunteer(t, rdb, team))
	awaitRanks(t, s, 0, 1, 2)
	eventually(t, "the master knows its team", func() bool { return s.Workers() == 3 })
	ids, err := identify.EachWorker(testContext(t), s, 0)
	if err != nil || len(ids) != 2 {
		t.Fatalf("got %v, %v", ids, err)
	}
	third := pidAt(t, s, 2)
	kill(t, ids[1].PID, syscall.SIGKILL)
	eventually(t, "another one takes the rank", func() bool { pid := pidAt(t, s, 1); return pid != ids[1].PID && pid != 0 })
	now, err := identify.EachWorker(testContext(t), s, 0)
	if err != nil || len(now) != 2 || now[0].PID != ids[0].PID || now[1].PID == ids[1].PID || pidAt(t, s, 2) != third {
		t.Fatalf("after a kill: %v, %v; before: %v", now, err, ids)
	}
	if err := s.Stop(testContext(t)); err != nil {
		t.Error(err)
	}
	for _, h := range hands {
		if code := h.wait(); code != 0 {
			t.Errorf("a worker ended with %d", code)
		}
	}
}

// onVolunteers runs a test on each backend with a team of one goroutine, to which workers come that are started by hand.
func onVolunteers(t *testing.T, test func(t *testing.T, rdb *redisx.Client, s *sleigh.Sleigh)) {
	t.Helper()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		test(t, rdb, start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(1), Lease: 2 * time.Second}))
	})
}

// TestS12ComeAndLeave has workers come and leave: each gets the lowest rank that is free, and keeps it.
func TestS12ComeAndLeave(t *testing.T) {
	t.Parallel()
	onVolunteers(t, func(t *testing.T, rdb *redisx.Client, s *sleigh.Sleigh) {
		one := volunteer(t, rdb, s.Name())
		awaitRanks(t, s, 0, 1)
		other := volunteer(t, rdb, s.Name())
		awaitRanks(t, s, 0, 1, 2)
		one.signal(syscall.SIGTERM)
		if code := one.wait(); code != 0 {
			t.Errorf("the worker that left ended with %d", code)
		}
		awaitRanks(t, s, 0, 2)
		third := volunteer(t, rdb, s.Name())
		awaitRanks(t, s, 0, 1, 2)
		eventually(t, "the master knows its team", func() bool { return s.Workers() == 3 })
		ranks, err := rankOf.EachWorker(testContext(t), s, 0)
		if err != nil || !slices.Equal(ranks, []int{0}) { // others may leave
			t.Errorf("got %v, %v", ranks, err)
		}
		other.signal(syscall.SIGINT)
		third.signal(syscall.SIGTERM)
		if a, b := other.wait(), third.wait(); a != 0 || b != 0 {
			t.Errorf("they ended with %d and %d", a, b)
		}
		awaitRanks(t, s, 0)
		eventually(t, "the master knows its team", func() bool { return s.Workers() == 1 })
	})
}

// TestS12KeeperKilled kills the process that was started by hand: its worker ends by itself and gives back what it runs, and
// the rank is free when its lease has ended.
func TestS12KeeperKilled(t *testing.T) {
	t.Parallel()
	onVolunteers(t, func(t *testing.T, rdb *redisx.Client, s *sleigh.Sleigh) {
		h := volunteer(t, rdb, s.Name())
		awaitRanks(t, s, 0, 1)
		pid := pidAt(t, s, 1)
		ended := make(chan error, 1)
		go func() {
			got, err := wait.EachElem(testContext(t), s, upTo(2), nil)
			if !slices.Equal(got, []int{0, 1}) {
				t.Errorf("got %v", got)
			}
			ended <- err
		}()
		for range 2 {
			fetch[visit](t, s.User(), "begun")
		}
		h.signal(syscall.SIGKILL)
		eventually(t, "its worker ends", func() bool { return !alive(t, pid) })
		openGate(t, s.User())
		if err := <-ended; err != nil {
			t.Error(err)
		}
		awaitRanks(t, s, 0)
		volunteer(t, rdb, s.Name())
		awaitRanks(t, s, 0, 1)
	})
}

// TestS12Capacity has workers of several slots come to a job that has handed out all that one worker should have.
func TestS12Capacity(t *testing.T) {
	t.Parallel()
	onVolunteers(t, func(t *testing.T, rdb *redisx.Client, s *sleigh.Sleigh) {
		ended := make(chan error, 1)
		go func() {
			got, err := wait.EachElem(testContext(t), s, upTo(10), &sleigh.JobOptions{LoadFactor: 1})
			if !slices.Equal(got, slices.Collect(upTo(10))) {
				t.Errorf("got %v", got)
			}
			ended <- err
		}()
		fetch[visit](t, s.User(), "begun")
		volunteer(t, rdb, s.Name(), "NETSPACES_SLOTS=3")
		for range 3 {
			fetch[visit](t, s.User(), "begun")
		}
		st := statusOf(t, s)
		if len(st.Workers) != 2 || st.Workers[1].Info.Slots != 3 {
			t.Errorf("got %+v", st.Workers)
		}
		openGate(t, s.User())
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestS2ManualWrong starts workers by hand as they cannot be.
func TestS2ManualWrong(t *testing.T) {
	t.Parallel()
	rdb := open(t, "mem://")
	for name, env := range map[string]string{
		"slots": "NETSPACES_SLOTS=many", "no slot": "NETSPACES_SLOTS=0", "no Redis": "REDIS_URL=",
	} {
		h := volunteer(t, rdb, "nobody", env)
		if code := h.wait(); code != 1 || !strings.Contains(h.stderr.String(), strings.Split(env, "=")[0]) {
			t.Errorf("%s: it ended with %d and said: %s", name, code, h.stderr.String())
		}
	}
	h := volunteer(t, rdb, "nobody")
	eventually(t, "it waits", func() bool { return strings.Contains(h.stderr.String(), "waiting for the team") })
	h.signal(syscall.SIGTERM)
	if code := h.wait(); code != 0 {
		t.Errorf("one that waited ended with %d: %s", code, h.stderr.String())
	}
}

func TestS2ManualNeedsASharedRedis(t *testing.T) {
	t.Parallel()
	_, err := sleigh.Start(testContext(t), openAt(t, "mem://"), &sleigh.Options{Launch: sleigh.Manual(1)})
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

// TestS13StopWithVolunteers stops while workers that were started by hand run functions.
func TestS13StopWithVolunteers(t *testing.T) {
	t.Parallel()
	onVolunteers(t, func(t *testing.T, rdb *redisx.Client, s *sleigh.Sleigh) {
		hands := []*hand{volunteer(t, rdb, s.Name()), volunteer(t, rdb, s.Name())}
		awaitRanks(t, s, 0, 1, 2)
		ended := make(chan error, 1)
		go func() {
			_, err := wait.EachElem(testContext(t), s, upTo(20), nil)
			ended <- err
		}()
		for range 3 {
			fetch[visit](t, s.User(), "begun")
		}
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, sleigh.ErrStopped) {
			t.Errorf("got %v", err)
		}
		if left := workersOf(t, s.Name()); len(left) > 0 {
			t.Errorf("after Stop there are %v", left)
		}
		for _, h := range hands {
			if code := h.wait(); code != 0 {
				t.Errorf("a worker ended with %d", code)
			}
		}
	})
}
