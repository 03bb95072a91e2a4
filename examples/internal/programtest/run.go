//go:build unix

package programtest

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

// Patience is far longer than anything here takes on a busy machine. What waits for so long has failed.
const Patience = 90 * time.Second

// binary is the program of the package under test, as a user builds it.
var binary = sync.OnceValues(func() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	if builtIn, err = os.MkdirTemp("", "program-test-"); err != nil {
		return "", err
	}
	path := filepath.Join(builtIn, filepath.Base(folder))
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// Run is a program at work.
type Run struct {
	Cmd    *exec.Cmd
	Stdout bytes.Buffer // complete once it has ended
	Stderr *Screen

	t     *testing.T
	ended chan struct{}
}

// Start starts the program with stderr on a terminal, and as the leader of a process group as a shell does.
func Start(t *testing.T, args ...string) *Run {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	r := &Run{t: t, Cmd: exec.Command(path, args...), ended: make(chan struct{})}
	var tty *os.File
	r.Stderr, tty = newScreen(t)
	r.Cmd.Stdout = &r.Stdout
	r.Cmd.Stderr = tty
	r.Cmd.WaitDelay = Patience
	r.Cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := r.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = r.Cmd.Wait()
		tty.Close()
		<-r.Stderr.closed // by the workers too, which write there as well
		close(r.ended)
	}()
	t.Cleanup(func() {
		_ = r.Cmd.Process.Kill()
		select {
		case <-r.ended:
		case <-time.After(Patience):
			t.Error("the program or its workers do not end")
		}
	})
	return r
}

// Wait waits for the end, and returns the exit code as a shell has it.
func (r *Run) Wait() int {
	r.t.Helper()
	select {
	case <-r.ended:
	case <-time.After(Patience):
		r.t.Fatalf("the program does not end; stderr:\n%q", r.Stderr.Text())
	}
	if status := r.Cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal())
	}
	return r.Cmd.ProcessState.ExitCode()
}

// Prints waits for the end and checks what the program has printed.
func (r *Run) Prints(want string) {
	r.t.Helper()
	if code := r.Wait(); code != 0 || r.Stdout.String() != want {
		r.t.Errorf("exit code %d, got %q, want %q; stderr:\n%q", code, r.Stdout.String(), want, r.Stderr.Text())
	}
}

// Signal sends the program a signal.
func (r *Run) Signal(s syscall.Signal) {
	r.t.Helper()
	if err := r.Cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

// Workers are the process ids of the worker processes, and of nothing else that the program has started.
func (r *Run) Workers() []int {
	r.t.Helper()
	var pids []int
	for _, p := range Processes(r.t) {
		if p.Parent == r.Cmd.Process.Pid && p.Name == filepath.Base(r.Cmd.Path) {
			pids = append(pids, p.PID)
		}
	}
	return pids
}

// UnderWay waits until the terminal shows what is wanted, and returns the workers.
func (r *Run) UnderWay(wanted func(text string) bool) []int {
	r.t.Helper()
	r.Stderr.Await(wanted)
	pids := r.Workers()
	if len(pids) == 0 {
		r.t.Fatal("no worker is found")
	}
	return pids
}

// CtrlC is that of a terminal, which reaches the workers as well, and whatever else the program has started.
func (r *Run) CtrlC() {
	r.t.Helper()
	if err := syscall.Kill(-r.Cmd.Process.Pid, syscall.SIGINT); err != nil {
		r.t.Fatal(err)
	}
}

// Eventually asks again and again, for states that nothing tells of.
func Eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not so after %v: %s", Patience, what)
		}
	}
}

// Process is one that runs.
type Process struct {
	PID, Parent int
	Name        string
}

// Processes are all that run here; a zombie does not.
func Processes(t *testing.T) []Process {
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
	var all []Process
	for _, row := range rows {
		f := strings.Fields(row)
		if len(f) < 4 || f[2][0] == 'Z' {
			continue
		}
		pid, _ := strconv.Atoi(f[0])
		parent, _ := strconv.Atoi(f[1])
		all = append(all, Process{pid, parent, filepath.Base(f[3])})
	}
	return all
}

// AwaitEnd waits until none of these processes is left.
func AwaitEnd(t *testing.T, pids []int) {
	t.Helper()
	Eventually(t, "the workers end", func() bool {
		return !slices.ContainsFunc(Processes(t), func(p Process) bool { return slices.Contains(pids, p.PID) })
	})
}
