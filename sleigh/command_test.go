package sleigh_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// commandsOf gives the command for each host by its name.
func commandsOf(lines map[string][]string) sleigh.Launcher {
	var hosts []string
	for host := range lines {
		hosts = append(hosts, host)
	}
	slices.Sort(hosts)
	return sleigh.Command(hosts, func(host string) []string { return lines[host] })
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestS2Command has commands of all kinds: one is a worker, one submits one and ends, one fails until its host is mended.
// The team works, failures are told, and all ends with the sleigh.
func TestS2Command(t *testing.T) {
	t.Parallel()
	rdb := open(t, open(t, "local://").URL())
	switchedOn := t.TempDir() + "/on"
	queued := t.TempDir() + "/queued"
	var log, output lockedBuffer
	s := start(t, rdb, &sleigh.Options{
		Slots: 2, Logger: slog.New(slog.NewTextHandler(&log, nil)), Output: func(l sleigh.Line) { fmt.Fprint(&output, l) },
		Launch: commandsOf(map[string][]string{
			"a worker": {self(t)},
			"a queue":  {"/bin/sh", "-c", `"$0" >/dev/null 2>&1 & echo $! >"$1"; echo job 17 is queued`, self(t), queued},
			"broken":   {"/bin/sh", "-c", `[ -e "$1" ] || { echo the power is off >&2; exit 3; }; exec "$0"`, self(t), switchedOn},
		}),
	})
	if err := s.Await(testContext(t), 2); err != nil {
		t.Fatal(err)
	}
	wantAll(t, s, 100)
	eventually(t, "the status tells of the host without power", func() bool {
		failed := statusOf(t, s).Failed
		return len(failed) == 1 && failed[0].Host == "broken" && failed[0].Attempts > 1 && failed[0].Cause == "exit status 3" &&
			failed[0].Stderr == "the power is off\n"
	})
	if text := log.String(); !strings.Contains(text, "host=broken") || !strings.Contains(text, "the power is off") {
		t.Errorf("the log says: %s", text)
	}
	if err := os.WriteFile(switchedOn, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Await(testContext(t), 3); err != nil {
		t.Fatal(err)
	}
	st := statusOf(t, s)
	if len(st.Failed) > 0 || len(st.Workers) != 3 || st.Workers[2].Info.Slots != 2 {
		t.Errorf("got %+v", st)
	}

	// What a worker prints comes once, although its keeper's output is read too.
	if _, err := complain.EachWorker(testContext(t), s, "hear hear"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all workers are heard", func() bool { return strings.Count(output.String(), "hear hear") >= 3 })
	// A worker that was killed is replaced by its keeper.
	killed := pidAt(t, s, 0)
	kill(t, killed, syscall.SIGKILL)
	eventually(t, "it is replaced", func() bool { pid := pidAt(t, s, 0); return pid != killed && pid != 0 })

	if err := s.Stop(testContext(t)); err != nil {
		t.Error(err)
	}
	said := output.String()
	for _, want := range []string{"broken: the power is off\n", "a queue: job 17 is queued\n"} {
		if !strings.Contains(said, want) {
			t.Errorf("without %q: %s", want, said)
		}
	}
	if n := strings.Count(said, "hear hear"); n != 3 {
		t.Errorf("it was heard %d times: %s", n, said)
	}
	text, err := os.ReadFile(queued)
	var pid int
	if _, scanErr := fmt.Sscan(string(text), &pid); err != nil || scanErr != nil {
		t.Fatal(err, scanErr)
	}
	eventually(t, "the worker of the queue ends", func() bool { return !alive(t, pid) })
}

// complain writes to the process's standard error.
var complain = sleigh.Register("complain", func(ctx context.Context, text string) (bool, error) {
	fmt.Fprintln(os.Stderr, text)
	return true, nil
})

// TestS2CommandDeaf has commands that know nothing of teams and go on after Stop: one ends when it is asked to, one has to be
// killed. Neither has a worker, so that Stop need not wait for one.
func TestS2CommandDeaf(t *testing.T) {
	t.Parallel()
	rdb := open(t, open(t, "local://").URL())
	dir := t.TempDir()
	s := start(t, rdb, &sleigh.Options{Launch: commandsOf(map[string][]string{
		"polite": {"/bin/sh", "-c", `trap "echo asked >polite; exit" TERM; cd "$0"; echo $$ >pid; while :; do sleep 0.01; done`, dir},
		"deaf":   {"/bin/sh", "-c", `trap "" TERM; cd "$0"; echo $$ >deaf; while :; do sleep 0.01; done`, dir},
	})})
	pids := map[string]int{"pid": 0, "deaf": 0}
	for file := range pids {
		eventually(t, "the commands run", func() bool {
			text, _ := os.ReadFile(dir + "/" + file)
			var pid int
			_, err := fmt.Sscan(string(text), &pid)
			pids[file] = pid
			return err == nil
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(dir + "/polite"); err != nil || string(text) != "asked\n" {
		t.Errorf("the polite one was not asked: %s, %v", text, err)
	}
	for name, pid := range pids {
		if alive(t, pid) {
			t.Errorf("%s goes on", name)
		}
	}
}

// TestS2CommandKeeperKilled kills what a command runs: the command runs again.
func TestS2CommandKeeperKilled(t *testing.T) {
	t.Parallel()
	rdb := open(t, open(t, "local://").URL())
	s := start(t, rdb, &sleigh.Options{Launch: commandsOf(map[string][]string{"a": {self(t)}}), Lease: time.Second})
	if err := s.Await(testContext(t), 1); err != nil {
		t.Fatal(err)
	}
	before := pidAt(t, s, 0)
	for _, p := range processes(t) {
		if p.pid == before {
			kill(t, p.parent, syscall.SIGKILL)
		}
	}
	eventually(t, "another one has joined", func() bool {
		all := statusOf(t, s).Workers
		return slices.ContainsFunc(all, func(w sleigh.WorkerStatus) bool {
			return w.Info.PID != 0 && w.Info.PID != before && w.State == sleigh.Idle
		})
	})
	wantAll(t, s, 10)
}

// TestS2CommandAllFail has no command that works, but at first a worker that was started by hand: with it, the team goes on.
func TestS2CommandAllFail(t *testing.T) {
	t.Parallel()
	rdb := open(t, open(t, "local://").URL())
	s := start(t, rdb, &sleigh.Options{
		Lease: time.Second, Output: func(sleigh.Line) {},
		Launch: commandsOf(map[string][]string{"a": {"/no/such/program"}, "b": {"/bin/sh", "-c", "echo no quota >&2; exit 1"}}),
	})
	h := volunteer(t, rdb, s.Name())
	if err := s.Await(testContext(t), 1); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all have failed for three times", func() bool {
		failed := statusOf(t, s).Failed
		return len(failed) == 2 && failed[0].Attempts > 3 && failed[1].Attempts > 3
	})
	wantAll(t, s, 10)
	h.signal(syscall.SIGTERM)
	h.wait()
	_, err := square.EachElem(testContext(t), s, upTo(3), nil)
	e, ok := errors.AsType[*sleigh.LaunchError](err)
	if !ok || len(e.Failures) != 2 || !strings.Contains(err.Error(), "\na: ") || !strings.Contains(err.Error(), "\nb: exit status 1\n    no quota") {
		t.Errorf("got %v", err)
	}
}

// TestS2CommandWrong looks for what Start should refuse.
func TestS2CommandWrong(t *testing.T) {
	t.Parallel()
	shared := open(t, open(t, "local://").URL())
	for name, launch := range map[string]sleigh.Launcher{
		"no host": commandsOf(nil), "no command": commandsOf(map[string][]string{"a": nil}), "an empty one": commandsOf(map[string][]string{"a": {""}}),
	} {
		if _, err := sleigh.Start(testContext(t), shared, &sleigh.Options{Launch: launch}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	launch := commandsOf(map[string][]string{"a": {self(t)}})
	if _, err := sleigh.Start(testContext(t), openAt(t, "mem://"), &sleigh.Options{Launch: launch}); err == nil {
		t.Error("it would wait for workers that cannot come")
	}
}

// TestAwait waits for workers that come one after the other, and for some that do not.
func TestAwait(t *testing.T) {
	t.Parallel()
	rdb := open(t, open(t, "local://").URL())
	s := start(t, rdb, &sleigh.Options{Launch: sleigh.Manual(2), Lease: time.Second})
	two, three := make(chan error, 1), make(chan error, 1)
	ctx, cancel := context.WithCancelCause(testContext(t))
	go func() { two <- s.Await(ctx, 2) }()
	go func() { three <- s.Await(ctx, 3) }()
	volunteer(t, rdb, s.Name())
	if err := s.Await(ctx, 1); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-two:
		t.Errorf("with one worker, waiting for two ends with %v", err)
	default:
	}
	volunteer(t, rdb, s.Name())
	if err := <-two; err != nil {
		t.Error(err)
	}
	enough := errors.New("enough")
	cancel(enough)
	if err := <-three; !errors.Is(err, enough) || !strings.Contains(err.Error(), " of 3 workers have joined") { // 1 or 2: as it was told last
		t.Errorf("got %v", err)
	}
	go func() { three <- s.Await(testContext(t), 3) }()
	if err := s.Stop(testContext(t)); err != nil {
		t.Error(err)
	}
	if err := <-three; !errors.Is(err, sleigh.ErrStopped) {
		t.Errorf("got %v", err)
	}
}
