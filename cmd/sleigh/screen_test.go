//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/netspaces/netspaces/cmd/internal/clitest"
	"github.com/netspaces/netspaces/redisx/redistest"
)

// onTerminal starts the command in a terminal of so many columns. change may change what is run.
func onTerminal(t *testing.T, columns int, change func(*exec.Cmd), args ...string) *clitest.Terminal {
	t.Helper()
	cmd := exec.Command("sleigh", args...)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TERM=xterm-256color", "HOME=/no-home", "GORACE=atexit_sleep_ms=10"}
	if change != nil {
		change(cmd)
	}
	return clitest.OnTerminal(t, columns, 24, cmd)
}

// Lines are printed above the bar, which is redrawn below them, is not wider than the terminal, and is gone at the end.
func TestBar(t *testing.T) {
	for _, cols := range []int{24, 40, 60, 120} {
		t.Run(fmt.Sprint(cols), func(t *testing.T) {
			t.Parallel()
			var want []string
			args := []string{"each", "--local", "2", "--bar", "--keep-order", "--", "sh", "-c", "until test $0 -le 3 -o -e go; do sleep 0.01; done; echo line $0", ":::"}
			for n := 1; n <= 12; n++ {
				want, args = append(want, fmt.Sprintf("line %d", n)), append(args, fmt.Sprint(n))
			}
			x := onTerminal(t, cols, nil, args...)
			x.AwaitRaw(`line 3\r\n[^\n]*25%`)
			if shown := x.Lines(); !strings.Contains(shown[len(shown)-1], "25%") || !slices.Equal(shown[:3], want[:3]) {
				t.Errorf("it shows %q", shown)
			}
			touch(t, filepath.Join(x.Cmd.Dir, "go"))
			x.Ends(0)
			if shown := x.Lines(); !slices.Equal(shown, want) {
				t.Errorf("at the end it shows %q of\n%q", shown, x.Tail())
			}
		})
	}
}

// What else is said stands above the bar, too.
func TestBarBesideHints(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	x := onTerminal(t, 100, atServer(server), "each", "--team", "farm", "--bar", "--json", "--", "echo", ":::", "a", "b")
	x.AwaitRaw(`no worker has joined[^\n]*\n[^\n]*0%`)
	begin(t, server.URL(), nil, "worker", "--team", "farm", "--allow-commands")
	x.Ends(0)
	shown := x.Lines()
	for _, line := range shown {
		if strings.Contains(line, "%") {
			t.Errorf("the bar is left in %q", line)
		}
	}
	text := strings.Join(shown, "")
	if !strings.HasPrefix(text, "sleigh: team farm is new") || strings.Count(text, `{"seq":`) != 2 {
		t.Errorf("at the end it shows %q", shown)
	}
}

// Where it is not known how many items there are, the bar counts those that are done.
func TestBarOfUnknownLength(t *testing.T) {
	t.Parallel()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	x := onTerminal(t, 60, func(cmd *exec.Cmd) { cmd.Stdin = in }, "each", "--local", "2", "--bar", "-k", "--", "echo", "line", "{}")
	_ = in.Close()
	fmt.Fprintln(out, "a\nb")
	x.AwaitRaw(`line b\r\n[^\n]*\(2`)
	_ = out.Close()
	x.Ends(0)
	if shown := x.Lines(); !slices.Equal(shown, []string{"line a", "line b"}) {
		t.Errorf("at the end it shows %q of\n%q", shown, x.Tail())
	}
}

// With stdout elsewhere, only the bar is on the terminal, and the lines are whole.
func TestBarBesideAFile(t *testing.T) {
	t.Parallel()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	x := onTerminal(t, 80, func(cmd *exec.Cmd) { cmd.Stdout = out },
		"each", "--local", "2", "--bar", "-k", "--", "sh", "-c", "until test -e go; do sleep 0.01; done; printf $0; test $0 = b", ":::", "a", "b")
	x.AwaitRaw(`0%`)
	touch(t, filepath.Join(x.Cmd.Dir, "go"))
	x.Ends(5)
	if text, err := os.ReadFile(out.Name()); string(text) != "a\nb" || err != nil {
		t.Errorf("it printed %q, %v", text, err)
	}
	if shown := x.Lines(); !slices.Equal(shown, []string{"sleigh: 1 of 2 items failed"}) {
		t.Errorf("at the end it shows %q of\n%q", shown, x.Tail())
	}
}

// atServer has a command use a server.
func atServer(server *redistest.Server) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "REDIS_URL="+server.URL()) }
}

func touch(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
}

// Ctrl-C ends what runs, and leaves neither a bar nor processes; a second one does not wait for them.
func TestCtrlC(t *testing.T) {
	t.Parallel()
	x := onTerminal(t, 80, nil, "each", "--local", "2", "--bar", "--joblog", "log", "--",
		"sh", "-c", "test $0 = 1 && exit; echo $$ > pid; exec sleep 600", ":::", "1", "2")
	pid := pidIn(t, x, "pid")
	x.AwaitRaw(`50%`)
	x.Type("\x03")
	x.Ends(130)
	awaitEnd(t, pid)
	if shown := x.Lines(); len(shown) > 1 || strings.Contains(strings.Join(shown, ""), "%") {
		t.Errorf("at the end it shows %q of\n%q", shown, x.Tail())
	}
	log, err := os.ReadFile(filepath.Join(x.Cmd.Dir, "log"))
	if lines := strings.Split(string(log), "\n"); err != nil || len(lines) != 3 || !strings.HasPrefix(lines[1], "1\t") {
		t.Errorf("the joblog is %q, %v", log, err)
	}

	x = onTerminal(t, 80, nil, "each", "--local", "1", "--", "sh", "-c", "trap '' TERM; echo $$ > pid; while :; do sleep 600; done", ":::", "1")
	pid = pidIn(t, x, "pid")
	x.Type("\x03")
	x.Type("\x03")
	x.Ends(130)
	awaitEnd(t, pid)
}

// What --local has on a Redis that others use too is gone at the end, also after Ctrl-C.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	begin(t, server.URL(), nil, "each", "--local", "2", "--", "true", ":::", "1", "2").ends(0)
	x := onTerminal(t, 80, atServer(server), "each", "--local", "2", "--", "sh", "-c", "echo $$ > pid; exec sleep 600", ":::", "1")
	pid := pidIn(t, x, "pid")
	x.Type("\x03")
	x.Ends(130)
	awaitEnd(t, pid)
	if keys, err := server.Redis().Keys(t.Context(), "*").Result(); err != nil || len(keys) > 0 {
		t.Errorf("Redis has %q, %v", keys, err)
	}
}

// pidIn waits for the number in a file of a command's folder.
func pidIn(t *testing.T, x *clitest.Terminal, name string) (pid int) {
	t.Helper()
	soon(t, "there is a "+name, func() bool {
		text, _ := os.ReadFile(filepath.Join(x.Cmd.Dir, name))
		n, _ := fmt.Sscanln(string(text), &pid)
		return n == 1 && strings.HasSuffix(string(text), "\n")
	})
	return pid
}

func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	soon(t, fmt.Sprintf("process %d ends", pid), func() bool { return syscall.Kill(pid, 0) != nil })
}

func TestDemoOnATerminal(t *testing.T) {
	t.Parallel()
	x := onTerminal(t, 100, nil, "demo")
	x.AwaitRaw(`[1-9]%`)
	x.Ends(0)
	if shown := x.Lines(); !strings.HasPrefix(shown[0], "There are 664579 primes below 10000000; the largest is 9999991.") ||
		!slices.Contains(shown, "  sleigh each --local 4 -- echo hello {} ::: Ada Grace Edsger") {
		t.Errorf("at the end it shows %q of\n%q", shown, x.Tail())
	}
	x = onTerminal(t, 30, nil, "demo")
	x.AwaitRaw(`[1-9]%`)
	x.Type("\x03")
	x.Ends(130)
	if shown := x.Lines(); strings.Contains(strings.Join(shown, ""), "%") {
		t.Errorf("at the end it shows %q of\n%q", shown, x.Tail())
	}
}

// The status is drawn anew in its place, as wide as the terminal at most, and the cursor is there again at the end.
func TestWatch(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	begin(t, server.URL(), nil, "each", "--team", "farm", "--name", "waits", "--detach", "--", "true", ":::", "1", "2").ends(0)
	watches := map[int]*clitest.Terminal{
		40: onTerminal(t, 40, atServer(server), "status", "--watch"), 140: onTerminal(t, 140, atServer(server), "status", "farm", "--watch"),
	}
	for _, x := range watches {
		x.AwaitRaw(`no workers`)
	}
	worker := begin(t, server.URL(), nil, "worker", "--team", "farm")
	for columns, x := range watches {
		x.AwaitRaw(`1 worker`)
		x.AwaitRaw(`idle`)
		x.Type("\x03")
		x.Ends(130)
		shown := strings.Join(x.Lines(), "\n")
		if strings.Count(shown, "Team farm") != 1 || !strings.Contains(shown, "WORKER") {
			t.Errorf("at the end it shows\n%s", shown)
		}
		for line := range strings.Lines(shown) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > columns {
				t.Errorf("%d columns: %q", n, line)
			}
		}
		if text := x.Raw(); strings.LastIndex(text, "\x1b[?25h") < strings.LastIndex(text, "\x1b[?25l") {
			t.Error("the cursor stays hidden")
		}
	}
	worker.terminate()
	worker.ends(0)
}

// The end of a team is asked for.
func TestStopAsks(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	begin(t, server.URL(), nil, "each", "--team", "farm", "--name", "waits", "--detach", "--", "true", ":::", "1", "2").ends(0)
	for _, answer := range []struct {
		keys string
		code int
	}{{"n\n", 1}, {"\n", 1}, {"\x03", 130}, {"y\n", 0}, {"", 3}} {
		x := onTerminal(t, 80, atServer(server), "stop", "farm")
		if answer.keys != "" {
			x.AwaitRaw(`Stop team farm, with no workers and 1 job\? \[y/N\] $`)
			x.Type(answer.keys)
		}
		x.Ends(answer.code)
	}
	if keys, err := server.Redis().Keys(t.Context(), "*farm*").Result(); err != nil || len(keys) > 0 {
		t.Errorf("Redis has %q, %v", keys, err)
	}
}
