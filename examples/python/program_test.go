package python_test

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/workspace"
)

// The example works, with a display in Python for which Go measures too.
func TestWeather(t *testing.T) {
	s := newSite(t)
	run := func(args ...string) (*exec.Cmd, *bytes.Buffer) {
		cmd, out := python(t, append([]string{"weather.py"}, args...)...), new(bytes.Buffer)
		cmd.Env = append(cmd.Env, "REDIS_URL="+s.server.URL())
		cmd.Stdout, cmd.Stderr = out, out
		s.must(cmd.Start())
		return cmd, out
	}
	display, shown := run("show", "3")
	thermometer, said := run("measure", "2")
	if err := thermometer.Wait(); err != nil || said.Len() > 0 {
		t.Errorf("measuring: %v\n%s", err, said)
	}
	ws, err := workspace.Use(s.ctx, s.rdb, "weather", true)
	s.must(err)
	s.must(ws.Store(s.ctx, "temperature", -3))
	if err := display.Wait(); err != nil || shown.String() != "20.0\n20.5\n-3\n" {
		t.Errorf("shown: %v\n%s", err, shown)
	}
}

// The program in the README runs, and prints what its comments say.
func TestReadmeProgram(t *testing.T) {
	s := newSite(t)
	text, err := os.ReadFile("README.md")
	s.must(err)
	_, rest, found := strings.Cut(string(text), "```python\n")
	program, _, ended := strings.Cut(rest, "```\n")
	if !found || !ended {
		t.Fatal("README.md has no program")
	}
	program = strings.Replace(program, "redis.Redis()", "redis.Redis.from_url('"+s.server.URL()+"')", 1)
	out, err := python(t, "-c", program).CombinedOutput()
	if err != nil || string(out) != "21.5\n21.5\nnone\n" {
		t.Errorf("%v\n%s", err, out)
	}
}
