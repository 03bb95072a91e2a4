//go:build unix

package clitest

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Background are the commands of scripts for programs that run beside them:
//
//	start NAME PROGRAM [ARG...]         starts one, which ends with the script; its stdin is the file NAME.in, if there is one,
//	                                    its stdout NAME.out, and its stderr NAME.err
//	signal [-group] INT|TERM|KILL NAME  sends it a signal; with -group to its children, too, as Ctrl-C does
//	ends CODE NAME                      waits for its end, and wants this exit code, as a shell has it
//
// Of the environment of the script, they have what programs here know.
func Background() map[string]Command {
	return map[string]Command{"start": start, "signal": signal, "ends": ends}
}

func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME PROGRAM [ARG...]")
	}
	name := args[0]
	// The program is looked up in the PATH of the test, which is that of the script.
	b := &begun{cmd: exec.Command(args[1], args[2:]...), ended: make(chan struct{})}
	b.cmd.Dir = ts.Getenv("WORK")
	b.cmd.Env = environment(ts)
	b.cmd.WaitDelay = Patience
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
		case <-time.After(Patience):
			_ = b.cmd.Process.Kill()
			ts.Logf("%s did not end", name)
		}
		text, _ := os.ReadFile(ts.MkAbs(name + ".err"))
		ts.Logf("[%s.err]\n%s", name, text)
	})
}

// environment is what the script has set of what programs here know.
func environment(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{
		"PATH", "HOME", "TMPDIR", "GORACE", "GOCOVERDIR", "REDIS_URL", "NETSPACES_TEAM", "NETSPACES_CONFIG", "NETSPACES_TIMEOUT",
		"NOTIFY_SOCKET", "WATCHDOG_USEC",
	} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

func signal(ts *testscript.TestScript, neg bool, args []string) {
	group := len(args) > 0 && args[0] == "-group"
	if group {
		args = args[1:]
	}
	if neg || len(args) != 2 {
		ts.Fatalf("usage: signal [-group] INT|TERM|KILL NAME")
	}
	signals := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}
	number, ok := signals[args[0]]
	if !ok {
		ts.Fatalf("%s: there are INT, TERM and KILL", args[0])
	}
	pid := Pid(ts, args[1])
	if group {
		pid = -pid
	}
	ts.Check(syscall.Kill(pid, number))
}

// Pid is that of a program which runs beside the script.
func Pid(ts *testscript.TestScript, name string) int { return running(ts, name).cmd.Process.Pid }

func running(ts *testscript.TestScript, name string) *begun {
	b, ok := ts.Value(begunKey{}).(map[string]*begun)[name]
	if !ok {
		ts.Fatalf("%s was not started", name)
	}
	return b
}

func ends(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ends CODE NAME")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	b := running(ts, args[1])
	select {
	case <-b.ended:
	case <-time.After(Patience):
		ts.Fatalf("%s does not end", args[1])
	}
	if code := exitCode(b.cmd.ProcessState); code != want {
		ts.Fatalf("%s ended with %d, want %d", args[1], code, want)
	}
}
