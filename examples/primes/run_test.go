//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is far longer than anything here takes on a busy machine. What waits for so long has failed.
const patience = 90 * time.Second

// binary is the program as a user builds it.
var binary = sync.OnceValues(func() (string, error) {
	var err error
	if builtIn, err = os.MkdirTemp("", "primes-test-"); err != nil {
		return "", err
	}
	path := filepath.Join(builtIn, "primes")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// A run is the program at work.
type run struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr *screen
	ended  chan struct{}
}

// start starts the program with stderr on a terminal, and as the leader of a process group as a shell does.
func start(t *testing.T, args ...string) *run {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	r := &run{t: t, cmd: exec.Command(path, args...), ended: make(chan struct{})}
	var tty *os.File
	r.stderr, tty = newScreen(t)
	r.cmd.Stdout = &r.stdout
	r.cmd.Stderr = tty
	r.cmd.WaitDelay = patience
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = r.cmd.Wait()
		tty.Close()
		<-r.stderr.closed // by the workers too, which write there as well
		close(r.ended)
	}()
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		select {
		case <-r.ended:
		case <-time.After(patience):
			t.Error("the program or its workers do not end")
		}
	})
	return r
}

// wait returns the exit code as a shell has it.
func (r *run) wait() int {
	r.t.Helper()
	select {
	case <-r.ended:
	case <-time.After(patience):
		r.t.Fatalf("the program does not end; stderr:\n%q", r.stderr.text())
	}
	if status := r.cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		return exitSignal + int(status.Signal())
	}
	return r.cmd.ProcessState.ExitCode()
}

// prints waits for the end and checks what the program has printed.
func (r *run) prints(want string) {
	r.t.Helper()
	if code := r.wait(); code != 0 || r.stdout.String() != want {
		r.t.Errorf("exit code %d, got %q, want %q; stderr:\n%q", code, r.stdout.String(), want, r.stderr.text())
	}
}

func (r *run) signal(s syscall.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

// workers are the process ids of the worker processes, and of nothing else that the program has started.
func (r *run) workers() []int {
	r.t.Helper()
	var pids []int
	for _, p := range processes(r.t) {
		if p.parent == r.cmd.Process.Pid && p.name == "primes" {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

var count = regexp.MustCompile(`\((\d+)/(\d+),`)

// underWay waits until some chunks are done, and returns the workers.
func (r *run) underWay() []int {
	r.t.Helper()
	r.stderr.await(func(text string) bool {
		shown := count.FindAllStringSubmatch(text, -1)
		return len(shown) > 0 && shown[len(shown)-1][1] != "0"
	})
	pids := r.workers()
	if len(pids) == 0 {
		r.t.Fatal("no worker is found")
	}
	return pids
}

// Ctrl-C in a terminal reaches the workers as well, and whatever else the program has started.
func (r *run) ctrlC() {
	r.t.Helper()
	if err := syscall.Kill(-r.cmd.Process.Pid, syscall.SIGINT); err != nil {
		r.t.Fatal(err)
	}
}

// checkStopped checks how a program ends that was stopped in the middle of its work.
func (r *run) checkStopped(want int, pids []int) {
	r.t.Helper()
	if code := r.wait(); code != want || r.stdout.Len() > 0 {
		r.t.Errorf("exit code %d, want %d; stdout %q", code, want, r.stdout.String())
	}
	// The last line stands where the bar was.
	if text := r.stderr.text(); !regexp.MustCompile("\x1b\\[2K\rprimes: stopped by signal: [a-z]+\r\n$").MatchString(text) {
		r.t.Errorf("the terminal has\n%q", text)
	}
	awaitEnd(r.t, pids)
}

// eventually asks again and again, for states that nothing tells of.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not so after %v: %s", patience, what)
		}
	}
}

type process struct {
	pid, parent int
	name        string
}

// processes are all that run here; a zombie does not.
func processes(t *testing.T) []process {
	t.Helper()
	var rows []string
	if stats, _ := filepath.Glob("/proc/[0-9]*/stat"); len(stats) > 0 {
		for _, path := range stats {
			stat, _ := os.ReadFile(path) // It may have ended by now.
			if m := regexp.MustCompile(`^(\d+) \((.*)\) (\S) (\d+) `).FindSubmatch(stat); m != nil {
				rows = append(rows, fmt.Sprintf("%s %s %s %s", m[1], m[4], m[3], m[2]))
			}
		}
	} else {
		out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=,stat=,comm=").Output()
		if err != nil {
			t.Fatal(err)
		}
		rows = strings.Split(string(out), "\n")
	}
	var all []process
	for _, row := range rows {
		f := strings.Fields(row)
		if len(f) < 4 || f[2][0] == 'Z' {
			continue
		}
		pid, _ := strconv.Atoi(f[0])
		parent, _ := strconv.Atoi(f[1])
		all = append(all, process{pid, parent, filepath.Base(f[3])})
	}
	return all
}

func awaitEnd(t *testing.T, pids []int) {
	t.Helper()
	eventually(t, "the workers end", func() bool {
		return !slices.ContainsFunc(processes(t), func(p process) bool { return slices.Contains(pids, p.pid) })
	})
}
