package sleigh_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// heldBy has a worker process of a master run an element that waits for the gate.
func heldBy(t *testing.T, s *sleigh.Sleigh) (pid int, result chan []int) {
	t.Helper()
	result = make(chan []int, 1)
	go func() {
		got, _ := wait.EachElem(testContext(t), s, upTo(1), &sleigh.JobOptions{Name: "held"})
		result <- got
	}()
	return fetch[visit](t, s.User(), "begun").PID, result
}

// stopSoon stops a master whose workers have no time to end what they run.
func stopSoon(t *testing.T, s *sleigh.Sleigh) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// TestS13StopGivesBack stops three masters whose workers run the same element for longer than Stop waits. It is given back,
// and the workers do not count as dead: the fourth master has its result.
func TestS13StopGivesBack(t *testing.T) {
	t.Parallel()
	rdb, name, _ := heirs(t, "local://", 0)
	with := &sleigh.Options{Launch: sleigh.Local(1)}
	for range 3 {
		s := join(t, rdb, name, with)
		heldBy(t, s)
		stopSoon(t, s)
	}
	s := join(t, rdb, name, with)
	_, result := heldBy(t, s)
	openGate(t, s.User())
	if got := <-result; !slices.Equal(got, []int{0}) {
		t.Errorf("got %v", got)
	}
}

// TestS13StopKeepsRank stops a master whose worker ends what it runs, for longer than a lease: meanwhile nobody gets its rank.
func TestS13StopKeepsRank(t *testing.T) {
	t.Parallel()
	rdb, name, master := heirs(t, "local://", 0)
	with := &sleigh.Options{Launch: sleigh.Local(1), Lease: time.Second}
	other, s := master(), join(t, rdb, name, with)
	heldBy(t, s)
	stopped := make(chan error)
	go func() { stopped <- s.Stop(testContext(t)) }()
	eventually(t, "the worker is about to leave", func() bool {
		st := statusOf(t, other)
		return len(st.Workers) == 1 && st.Workers[0].State == sleigh.Leaving
	})
	time.Sleep(5 * time.Second / 2) // two leases and more
	join(t, rdb, name, with)
	awaitRanks(t, other, 0, 1)
	openGate(t, s.User())
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// TestS13StopKills has a worker that hears nothing when its master stops. Its keeper kills it, which is not its element's
// doing: two deaths that are do not make it fail.
func TestS13StopKills(t *testing.T) {
	if brief() {
		return
	}
	t.Parallel()
	rdb, name, _ := heirs(t, "local://", 0)
	with := &sleigh.Options{Launch: sleigh.Local(1)}
	s := join(t, rdb, name, with)
	pid, _ := heldBy(t, s)
	kill(t, pid, syscall.SIGSTOP)
	stopSoon(t, s)
	if alive(t, pid) {
		t.Error("the deaf worker lives on")
	}
	s = join(t, rdb, name, with)
	pid, result := heldBy(t, s)
	for range 2 {
		kill(t, pid, syscall.SIGKILL)
		pid = fetch[visit](t, s.User(), "begun").PID
	}
	openGate(t, s.User())
	if got := <-result; !slices.Equal(got, []int{0}) {
		t.Errorf("got %v", got)
	}
}

// TestS13StopCommand has a command in a team that lasts, where no word in Redis tells its worker that the master stops: it is
// asked to leave at once, and again when it has had its time.
func TestS13StopCommand(t *testing.T) {
	t.Parallel()
	rdb, name, _ := heirs(t, "local://", 0)
	dir := t.TempDir()
	s := join(t, open(t, rdb.URL()), name, &sleigh.Options{Launch: commandsOf(map[string][]string{
		"a": {"/bin/sh", "-c", `cd "$0"; trap "echo asked >>asked" TERM; : >asked; until [ "$(wc -l <asked)" -ge 2 ]; do sleep 0.01; done`, dir},
	})})
	asked := func(n int) func() bool {
		return func() bool {
			text, err := os.ReadFile(filepath.Join(dir, "asked"))
			return err == nil && strings.Count(string(text), "\n") == n
		}
	}
	eventually(t, "the command runs", asked(0))
	ctx, enough := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() { stopped <- s.Stop(ctx) }()
	eventually(t, "it is asked", asked(1))
	enough()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if !asked(2)() {
		t.Error("it was not asked again")
	}
}
