//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/netspaces/netspaces/redisx/redistest"
)

// patience is far longer than anything here takes on a busy machine. What waits for so long has failed.
const patience = 60 * time.Second

// TestMain has the test binary be the command too, and its workers.
func TestMain(m *testing.M) {
	workIfLaunched()                             // by a test, and not by a script
	_ = os.Setenv("GORACE", "atexit_sleep_ms=10") // workers under the race detector would end a second late
	testscript.Main(m, map[string]func(){"sleigh": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"redis":      startRedis,
			"exits":      exits,
			"until":      until,
			"start":      start,
			"await":      await,
			"signal":     signalTo,
			"ends":       ends,
			"json":       checkJSON,
			"seq":        seq,
			"needs":      needs,
			"killworker": killWorker,
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("GORACE", "atexit_sleep_ms=10")
			e.Values[begunKey{}] = map[string]*begun{}
			e.Values[testKey{}] = e.T().(testing.TB)
			return nil
		},
	})
}

type (
	begunKey struct{}
	testKey  struct{}
)

// startRedis starts a redis-server that ends with the script, and has REDIS_URL say where: redis [CONFIGURATION]
func startRedis(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv("REDIS_URL", redistest.Start(ts.Value(testKey{}).(testing.TB), args...).URL())
}

// exits runs a command and wants this exit code: exits CODE COMMAND…
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		if code = exit.ExitCode(); code < 0 {
			code = 128 + int(exit.Sys().(syscall.WaitStatus).Signal())
		}
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// until runs a command again and again until its stdout has what is wanted: until REGEXP COMMAND…
func until(ts *testscript.TestScript, _ bool, args []string) {
	wanted, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	eventually(ts, "stdout matches "+args[0], func() bool {
		err := ts.Exec(args[1], args[2:]...)
		return err == nil && wanted.MatchString(ts.ReadFile("stdout"))
	})
}

func eventually(ts *testscript.TestScript, what string, ok func() bool) {
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("not in %v: %s", patience, what)
		}
	}
}

// begun is a command that runs beside the script.
type begun struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// start starts a command, whose output goes into files, and which ends with the script: start NAME COMMAND…
// Its stdin is the file NAME.in, if there is one.
func start(ts *testscript.TestScript, _ bool, args []string) {
	name := args[0]
	// The command is looked up in the PATH of the test, which is that of the script.
	b := &begun{cmd: exec.Command(args[1], args[2:]...), ended: make(chan struct{})}
	b.cmd.Dir = ts.Getenv("WORK")
	b.cmd.Env = environment(ts)
	b.cmd.WaitDelay = patience
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if in, err := os.Open(ts.MkAbs(name + ".in")); err == nil {
		defer in.Close()
		b.cmd.Stdin = in
	}
	out, err := os.Create(ts.MkAbs(name + ".out"))
	ts.Check(err)
	defer out.Close()
	log, err := os.Create(ts.MkAbs(name + ".err"))
	ts.Check(err)
	defer log.Close()
	b.cmd.Stdout, b.cmd.Stderr = out, log
	ts.Check(b.cmd.Start())
	go func() {
		_ = b.cmd.Wait()
		close(b.ended)
	}()
	ts.Value(begunKey{}).(map[string]*begun)[name] = b
	ts.Defer(func() {
		_ = b.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-b.ended:
		case <-time.After(patience):
			_ = b.cmd.Process.Kill()
			ts.Logf("%s did not end", name)
		}
		text, _ := os.ReadFile(ts.MkAbs(name + ".err"))
		ts.Logf("[%s.err]\n%s", name, text)
	})
}

// environment is what the script has set of what commands here know.
func environment(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{
		"PATH", "HOME", "TMPDIR", "GORACE", "GOCOVERDIR", "REDIS_URL", "NETSPACES_TEAM", "NETSPACES_CONFIG", "NOTIFY_SOCKET", "WATCHDOG_USEC",
	} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// await waits until a file has what is wanted: await REGEXP FILE
func await(ts *testscript.TestScript, _ bool, args []string) {
	wanted, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	path := ts.MkAbs(args[1])
	eventually(ts, args[1]+" matches "+args[0], func() bool {
		text, _ := os.ReadFile(path)
		return wanted.Match(text)
	})
}

// signalTo sends a signal to what start has started: signal INT|TERM|KILL NAME. With -group it goes to its children too, as
// Ctrl-C does.
func signalTo(ts *testscript.TestScript, _ bool, args []string) {
	group := args[0] == "-group"
	if group {
		args = args[1:]
	}
	signals := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}
	pid := running(ts, args[1]).cmd.Process.Pid
	if group {
		pid = -pid
	}
	ts.Check(syscall.Kill(pid, signals[args[0]]))
}

func running(ts *testscript.TestScript, name string) *begun {
	b, ok := ts.Value(begunKey{}).(map[string]*begun)[name]
	if !ok {
		ts.Fatalf("%s was not started", name)
	}
	return b
}

// ends waits for the end of what start has started, and wants this exit code: ends CODE NAME
func ends(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	b := running(ts, args[1])
	select {
	case <-b.ended:
	case <-time.After(patience):
		ts.Fatalf("%s does not end", args[1])
	}
	status := b.cmd.ProcessState.Sys().(syscall.WaitStatus)
	code := status.ExitStatus()
	if status.Signaled() {
		code = 128 + int(status.Signal())
	}
	if code != want {
		ts.Fatalf("%s ended with %d, want %d", args[1], code, want)
	}
}

// checkJSON wants a value at a place in the JSON on the last command's stdout, or in a file: json PLACE VALUE [FILE]. Of
// several JSON texts there, the first part of the place is a number; len is how many there are of something.
func checkJSON(ts *testscript.TestScript, neg bool, args []string) {
	file := "stdout"
	if len(args) > 2 {
		file = args[2]
	}
	var all []any
	for dec := json.NewDecoder(strings.NewReader(ts.ReadFile(file))); ; {
		dec.UseNumber()
		var v any
		if err := dec.Decode(&v); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			ts.Fatalf("%s is not JSON: %v", file, err)
		}
		all = append(all, v)
	}
	var at any = all
	if len(all) == 1 {
		at = all[0]
	}
	for part := range strings.SplitSeq(args[0], ".") {
		switch v := at.(type) {
		case []any:
			n, err := strconv.Atoi(part)
			switch {
			case part == "len":
				at = len(v)
			case err != nil || n >= len(v):
				ts.Fatalf("%s: there is no %s", args[0], part)
			default:
				at = v[n]
			}
		case map[string]any:
			value, ok := v[part]
			if !ok {
				ts.Fatalf("%s: there is no %s in %v", args[0], part, v)
			}
			at = value
		default:
			ts.Fatalf("%s: there is no %s in %v", args[0], part, v)
		}
	}
	if got := strings.ReplaceAll(fmt.Sprint(at), "\n", `\n`); (got == args[1]) == neg {
		ts.Fatalf("%s is %q, want %q (negated: %v)", args[0], got, args[1], neg)
	}
}

// seq writes the numbers from one to another into a file: seq FROM TO FILE
func seq(ts *testscript.TestScript, _ bool, args []string) {
	from, err := strconv.Atoi(args[0])
	ts.Check(err)
	to, err := strconv.Atoi(args[1])
	ts.Check(err)
	var text bytes.Buffer
	for n := from; n <= to; n++ {
		fmt.Fprintln(&text, n)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), text.Bytes(), 0o666))
}

// killWorker kills a worker process of what start has started: killworker NAME
func killWorker(ts *testscript.TestScript, _ bool, args []string) {
	parent := running(ts, args[0]).cmd.Process.Pid
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	ts.Check(err)
	for line := range strings.Lines(string(out)) {
		var pid, of int
		if _, err := fmt.Sscan(line, &pid, &of); err == nil && of == parent {
			ts.Check(syscall.Kill(pid, syscall.SIGKILL))
			return
		}
	}
	ts.Fatalf("%s has no worker", args[0])
}

// needs skips the script where a program is missing, which CI must not do: needs PROGRAM
func needs(ts *testscript.TestScript, _ bool, args []string) {
	t := ts.Value(testKey{}).(testing.TB)
	if _, err := exec.LookPath(args[0]); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		ts.Fatalf("no %s on PATH", args[0])
	}
	t.Skipf("no %s on PATH", args[0])
}
