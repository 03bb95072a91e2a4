package sleigh_test

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// TestS2NoMain runs a program that starts a sleigh and does not call Main. It must neither hang nor multiply.
func TestS2NoMain(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "processes")
	p := play(t, "no main", notesEnv+"="+file)
	_ = p.in.Close()
	text := p.rest()
	if err := p.cmd.Wait(); err == nil || p.cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("it ended with %v", err)
	}
	if !strings.Contains(text, "does main call sleigh.Main() first?") {
		t.Errorf("it says: %s", text)
	}
	notes, err := os.ReadFile(file)
	if n := strings.Count(string(notes), "\n"); err != nil || n < 2 || n > 10 {
		t.Errorf("there were %d processes, %v", n, err)
	}
}

// TestS2BadOptions looks for what Start should refuse.
func TestS2BadOptions(t *testing.T) {
	t.Parallel()
	rdb := openAt(t, "mem://")
	for name, o := range map[string]*sleigh.Options{
		"no process": {Launch: sleigh.Local(0)}, "fewer": {Launch: sleigh.Local(-1)}, "no goroutine": {Launch: sleigh.InProcess(0)},
		"a lease of a nanosecond": {Launch: sleigh.InProcess(1), Lease: 1},
		"a negative lease":        {Launch: sleigh.InProcess(1), Lease: -time.Second},
	} {
		if s, err := sleigh.Start(t.Context(), rdb, o); err == nil {
			t.Errorf("%s: no error", name)
			_ = s.Stop(t.Context())
		}
	}
	if keys := rdb.Redis().Keys(t.Context(), "*").Val(); len(keys) > 0 {
		t.Errorf("keys left: %v", keys)
	}
}

func TestS2Defaults(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), nil)
	if s.Workers() != runtime.NumCPU() {
		t.Errorf("there are %d workers", s.Workers())
	}
	ids, err := identify.EachWorker(testContext(t), s, 0)
	if err != nil || len(ids) != s.Workers() || ids[0].PID == os.Getpid() {
		t.Errorf("got %v, %v", ids, err)
	}
}

// TestS2ProcessGroup checks that Ctrl-C, which a terminal sends to the master's group, does not reach the workers.
func TestS2ProcessGroup(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.Local(2)})
	if _, err := identify.EachWorker(testContext(t), s, 0); err != nil {
		t.Fatal(err)
	}
	workers := workersOf(t, s.Name())
	if len(workers) != 2 {
		t.Errorf("there are %d workers", len(workers))
	}
	for _, w := range workers {
		if w.group != w.pid || w.group == syscall.Getpgrp() || w.parent != os.Getpid() {
			t.Errorf("worker %+v of master %d in group %d", w, os.Getpid(), syscall.Getpgrp())
		}
	}
}

// TestS2PasswordHidden looks for the password where others on this machine can see it, and where a function's children do.
func TestS2PasswordHidden(t *testing.T) {
	t.Parallel()
	rdb := openAt(t, "mem://")
	address, err := url.Parse(rdb.URL())
	if err != nil {
		t.Fatal(err)
	}
	password, _ := address.User.Password()
	if password == "" {
		t.Fatal("the embedded Redis has no password")
	}
	s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(2)})
	if _, err := identify.EachWorker(testContext(t), s, 0); err != nil {
		t.Fatal(err)
	}
	for _, w := range workersOf(t, s.Name()) {
		for _, file := range []string{"cmdline", "environ"} {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", w.pid, file))
			if err != nil || len(text) == 0 {
				t.Errorf("%s: %v", file, err)
			}
			if strings.Contains(string(text), password) {
				t.Errorf("the password is in the %s of a worker", file)
			}
		}
	}
}

// TestS2Surroundings has a function look at what it finds in its process.
func TestS2Surroundings(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.Local(1)})
	found, err := surroundings.EachWorker(testContext(t), s, t.TempDir())
	if err != nil || len(found) != 1 || found[0] != "" {
		t.Errorf("got %q, %v", found, err)
	}
	// It has changed its folder. Another one must still be launched, and nothing else suffer.
	kill(t, workersOf(t, s.Name())[0].pid, syscall.SIGKILL)
	if found, err = surroundings.EachWorker(testContext(t), s, t.TempDir()); err != nil || found[0] != "" {
		t.Errorf("got %q, %v", found, err)
	}
}

// surroundings reads its input and that of a child, goes elsewhere, and returns what is wrong.
var surroundings = sleigh.Register("surroundings", func(ctx context.Context, dir string) (string, error) {
	if text, err := io.ReadAll(os.Stdin); err != nil || len(text) > 0 {
		return fmt.Sprintf("input: %s, %v", text, err), nil
	}
	child := exec.CommandContext(ctx, "/bin/sh", "-c", "cat; env | grep ^NETSPACES_ || true")
	child.Stdin = os.Stdin
	if text, err := child.Output(); err != nil || len(text) > 0 {
		return fmt.Sprintf("a child: %s, %v", text, err), nil
	}
	return "", os.Chdir(dir)
})

// TestS2Many has many more workers than there are cores.
func TestS2Many(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.InProcess(20)})
	ranks, err := meet.EachWorker(testContext(t), s, "here")
	if err != nil || len(ranks) != 20 {
		t.Errorf("got %v, %v", ranks, err)
	}
}
