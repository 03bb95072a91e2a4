package netspaces_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/workspace"
)

// step is a block of commands in docs/redis-cli.md, and what they print.
type step struct {
	commands, prints string
	waiting          bool // somebody has to wait for a value before
}

func stepsOf(t *testing.T, file string) []step {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var steps []step
	for i, block := range strings.Split("\n"+string(text), "\n```") {
		kind, rest, _ := strings.Cut(block, "\n")
		switch {
		case i%2 == 0: // between blocks
		case kind == "sh" || kind == "sh waiting":
			steps = append(steps, step{commands: rest + "\n", waiting: kind == "sh waiting"})
		case kind == "text" && len(steps) > 0 && steps[len(steps)-1].prints == "":
			steps[len(steps)-1].prints = rest + "\n"
		default:
			t.Fatalf("%s has a block of another kind: %q", file, block)
		}
	}
	return steps
}

// The commands in docs/redis-cli.md are run as they stand there, and print what it says.
func TestRedisCLICommands(t *testing.T) {
	server := redistest.Start(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	rdb, err := redisx.Open(ctx, server.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	got := make(chan string, 1)

	shell := startShell(t, server.URL())
	steps := stepsOf(t, "docs/redis-cli.md")
	waited := false
	for _, s := range steps {
		if s.waiting {
			waited = true
			ws := waitFor(ctx, t, rdb, "answer", got)
			defer ws.Close()
		}
		if out := shell.run(s.commands); out != s.prints {
			t.Fatalf("these commands\n%sprinted\n%swhich should be\n%s", s.commands, out, s.prints)
		}
		if strings.Contains(s.commands, "rpush") {
			if answer := <-got; answer != "42" {
				t.Errorf("who waited got %q", answer)
			}
		}
	}
	if len(steps) < 8 || !waited {
		t.Errorf("%d blocks of commands were found", len(steps))
	}
	if left, err := server.Redis().Keys(ctx, "*").Result(); len(left) > 0 || err != nil {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// waitFor fetches a value in the background, and returns when Redis knows the waiter.
func waitFor(ctx context.Context, t *testing.T, rdb *redisx.Client, variable string, got chan<- string) *workspace.Workspace {
	t.Helper()
	ws, err := workspace.Use(ctx, rdb, "demo", false)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		var text json.RawMessage
		if err := ws.Fetch(ctx, variable, &text); err != nil {
			text = json.RawMessage(err.Error())
		}
		got <- string(text)
	}()
	for infos, err := range ws.Watch(ctx, variable) {
		if err != nil {
			t.Fatal(err)
		}
		if len(infos) == 1 && infos[0].Fetchers == 1 {
			break
		}
	}
	return ws
}

// shell is one bash that all commands of a page are typed into.
type shell struct {
	t     *testing.T
	stdin io.Writer
	lines *bufio.Scanner
}

func startShell(t *testing.T, url string) *shell {
	t.Helper()
	cmd := exec.Command("bash", "-eu", "-o", "pipefail")
	cmd.Env = append(os.Environ(), "REDIS_URL="+url, "TMPDIR="+t.TempDir())
	cmd.Stderr = t.Output()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("a command failed: %v", err)
		}
	})
	return &shell{t: t, stdin: stdin, lines: bufio.NewScanner(stdout)}
}

// run returns what commands print to stdout.
func (s *shell) run(commands string) string {
	s.t.Helper()
	const end = "-- end of the commands --"
	if _, err := io.WriteString(s.stdin, commands+"\necho '"+end+"'\n"); err != nil {
		s.t.Fatal(err)
	}
	var out strings.Builder
	for s.lines.Scan() {
		if s.lines.Text() == end {
			return out.String()
		}
		out.WriteString(s.lines.Text() + "\n")
	}
	s.t.Fatalf("the shell ended in\n%safter\n%s", commands, out.String())
	return ""
}
