//go:build unix

package each_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/each"
)

// family is a command that writes its process id, and that of a child, into the file that the item names, and goes on for long.
var family = sh(`sleep 1000 & echo $$ $! >"$1.new"; mv "$1.new" "$1"; wait`)

// pids are those in the file, once they are there.
func pids(t *testing.T, file string) (all []int) {
	t.Helper()
	var text []byte
	eventually(t, "the command has begun", func() bool {
		var err error
		text, err = os.ReadFile(file)
		return err == nil
	})
	for field := range strings.FieldsSeq(string(text)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, pid)
	}
	t.Cleanup(func() {
		for _, pid := range all {
			if lives(pid) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	})
	return all
}

// lives reports whether a process runs. One that nobody has waited for does not.
func lives(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

// eventually waits until ok, which is about other processes that cannot tell us.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; !ok(); pause = min(2*pause, 50*time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in %v: %s", patience, what)
		}
		time.Sleep(pause)
	}
}

func eventuallyDead(t *testing.T, all []int) {
	t.Helper()
	for _, pid := range all {
		eventually(t, fmt.Sprintf("process %d of %v has ended", pid, all), func() bool { return !lives(pid) })
	}
}

// A command whose time is over is ended with all that it has started.
func TestTimeout(t *testing.T) {
	s := start(t, sleigh.InProcess(2))
	directory := t.TempDir()
	for name, script := range map[string]string{
		"ends":     `sleep 1000 & echo $$ $! >"$1.new"; mv "$1.new" "$1"; printf begun; wait`,
		"goes on":  `trap "" TERM; sleep 1000 & echo $$ $! >"$1.new"; mv "$1.new" "$1"; printf begun; wait; sleep 1000`,
		"orphaned": `(trap "" TERM; sleep 1000) & echo $$ $! >"$1.new"; mv "$1.new" "$1"; printf begun; wait`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(directory, name)
			var r each.Result
			p, sum := run(t, s, sh(script), each.Options{Timeout: 300 * time.Millisecond, OnResult: func(got each.Result) error { r = got; return nil }}, file)
			if !r.Timeout || r.Exit != -1 || r.Signal != 15 || r.ExitCode() != 124 || sum.Failed != 1 || r.Runtime < 300*time.Millisecond {
				t.Errorf("%+v, %+v", r, sum)
			}
			if p.stdout.String() != "begun" || !strings.Contains(p.stderr.String(), "took longer than 300ms") {
				t.Errorf("%q, %q", &p.stdout, &p.stderr)
			}
			eventuallyDead(t, pids(t, file))
		})
	}
}

// A run that is cancelled ends its commands, and so does halting at once.
func TestCancel(t *testing.T) {
	s := start(t, sleigh.Local(2))
	directory := t.TempDir()
	ctx, cancel := context.WithCancel(testContext(t))
	ended := make(chan error)
	go func() {
		_, err := each.Run(ctx, s, each.Items(directory+"/1", directory+"/2"), family, nil)
		ended <- err
	}()
	all := append(pids(t, directory+"/1"), pids(t, directory+"/2")...)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	eventuallyDead(t, all)

	halt, err := each.ParseHalt("now,fail=1")
	if err != nil {
		t.Fatal(err)
	}
	c := each.Command{Args: []string{
		"sh", "-c", `case "$1" in fail) while ! test -e "$2"; do sleep 0.01; done; exit 1;; esac; ` + family.Args[2], "sh", "{}", directory + "/3",
	}}
	_, sum := run(t, s, c, each.Options{Halt: halt}, directory+"/3", "fail")
	if !sum.Halted || sum.Failed != 1 || sum.Done != 1 {
		t.Errorf("%+v", sum)
	}
	eventuallyDead(t, pids(t, directory+"/3"))
}

// What a command leaves in the background is not waited for, and goes on.
func TestBackground(t *testing.T) {
	s := start(t, sleigh.InProcess(1))
	file := filepath.Join(t.TempDir(), "pids")
	p, sum := run(t, s, sh(`sleep 1000 & echo $! >"$1"; head -c 60000 /dev/zero; echo end >&2`), each.Options{}, file)
	if p.stdout.Len() != 60000 || p.stderr.String() != "end\n" || sum.Failed != 0 {
		t.Errorf("%d bytes, %q, %+v", p.stdout.Len(), &p.stderr, sum)
	}
	if all := pids(t, file); !lives(all[0]) {
		t.Error("what was left in the background was ended")
	}
}

// When a worker is killed, what it runs dies with it, and runs again elsewhere: the output is what it would have been.
func TestWorkerIsKilled(t *testing.T) {
	s := start(t, sleigh.Local(2))
	directory := t.TempDir()
	c := each.Command{Args: []string{"sh", "-c", `
		if test "$2" = 30 && ! test -e "$1/killed"; then sleep 1000 & echo $$ $! $PPID >"$1/new"; mv "$1/new" "$1/pids"; wait; fi
		echo $(($2 + 1))`, "sh", directory, "{}"}}
	type ended struct {
		out *printed
		sum each.Summary
	}
	over := make(chan ended)
	go func() {
		p, sum := run(t, s, c, each.Options{KeepOrder: true}, numbered(100)...)
		over <- ended{p, sum}
	}()
	all := pids(t, filepath.Join(directory, "pids"))
	worker := all[2]
	// What a command starts before the guard knows of the command would stay.
	eventually(t, "the command has run for some time", func() bool {
		status, err := s.Status(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range status.Workers {
			if w.Info.PID == worker && len(w.Tasks) > 0 && w.Tasks[0].For > time.Second/2 {
				return true
			}
		}
		return false
	})
	if err := os.WriteFile(filepath.Join(directory, "killed"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(worker, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventuallyDead(t, all)
	e := <-over
	if want := strings.Join(numbered(101)[1:], "\n") + "\n"; e.out.stdout.String() != want || e.sum.Done != 100 || e.sum.Failed != 0 {
		t.Errorf("%q, %+v", &e.out.stdout, e.sum)
	}
}

// An item over which all workers die is one that failed.
func TestItemKillsWorkers(t *testing.T) {
	s := start(t, sleigh.Local(1))
	directory := t.TempDir()
	var r each.Result
	c := each.Command{Args: []string{"sh", "-c", `case $2 in bad) sleep 1000 & echo $$ $! >"$1/$PPID"; kill -9 $PPID; wait;; esac; echo $2`, "sh", directory, "{}"}}
	p, sum := run(t, s, c, each.Options{KeepOrder: true, OnResult: func(got each.Result) error {
		if got.Failed() {
			r = got
		}
		return nil
	}}, "a", "bad", "b")
	if p.stdout.String() != "a\nb\n" || sum.Failed != 1 || sum.Done != 3 {
		t.Errorf("%q, %+v", &p.stdout, sum)
	}
	if r.Seq != 2 || r.Item != "bad" || r.Exit != 125 || r.Error == "" || !strings.Contains(r.Command, " bad") {
		t.Errorf("%+v", r)
	}
	files, err := filepath.Glob(directory + "/*")
	if err != nil || len(files) < 3 {
		t.Errorf("the workers that have died: %v, %v", files, err)
	}
	for _, file := range files {
		pids(t, file) // they end with the test: the worker may have been too busy to tell the guard before it was killed
	}
}

// playMaster is a program that is to be killed. It runs commands with a joblog.
func playMaster() int {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	if err != nil {
		return 1
	}
	s, err := sleigh.Start(ctx, rdb, &sleigh.Options{Launch: sleigh.Local(2)})
	if err != nil {
		return 1
	}
	_, err = each.Run(ctx, s, each.Items(numbered(40)...), each.Command{Args: []string{"sh", "-c", os.Args[2], "sh", "{}"}},
		&each.Options{Joblog: os.Args[1], Stdout: os.Stdout})
	fmt.Fprintln(os.Stderr, err)
	return 0
}

func init() { roles["master"] = playMaster }

// A program that is killed leaves no commands, and a joblog by which the next one does the rest.
func TestMasterIsKilled(t *testing.T) {
	directory := t.TempDir()
	log := filepath.Join(directory, "log")
	script := fmt.Sprintf(`
		if test $1 = 25 && ! test -e %[1]s/killed; then sleep 1000 & echo $$ $! $PPID >%[1]s/new; mv %[1]s/new %[1]s/pids; wait; fi
		echo $1`, directory)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(testContext(t), program, log, script)
	cmd.Env = append(os.Environ(), roleEnv+"=master")
	var first strings.Builder
	cmd.Stdout = &first
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	all := pids(t, filepath.Join(directory, "pids"))
	eventually(t, "the others are done", func() bool {
		text, err := os.ReadFile(log)
		return err == nil && strings.Count(string(text), "\n") == 40
	})
	if err := os.WriteFile(filepath.Join(directory, "killed"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	eventuallyDead(t, all)

	s := start(t, sleigh.InProcess(1))
	p, sum := run(t, s, each.Command{Args: []string{"sh", "-c", script, "sh", "{}"}}, each.Options{Joblog: log, Resume: true}, numbered(40)...)
	if sum.Skipped != 39 || sum.Done != 1 || p.stdout.String() != "25\n" || len(logLines(t, log)) != 41 {
		t.Errorf("%q, %+v", &p.stdout, sum)
	}
	if sorted(first.String()+p.stdout.String()) != sorted(strings.Join(numbered(40), "\n")+"\n") {
		t.Errorf("both have %q", first.String()+p.stdout.String())
	}
}
