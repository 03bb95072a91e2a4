//go:build unix

package cli

import (
	"bufio"
	"errors"
	"io"
	"os/exec"
	"syscall"
	"testing"

	"github.com/netspaces/netspaces/redisx/redistest"
)

// What waits for a Redis that does not answer says so, and ends by itself if it only reads, or leaves nothing that stays.
func TestSilence(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	const told = "prog: waiting for Redis, which does not answer; a second Ctrl-C ends this at once\n"
	programs := map[string]*exec.Cmd{}
	errs := map[string]*bufio.Reader{}
	for _, name := range []string{"faraway", "leased", "gaze"} {
		cmd := exec.Command("prog", name, "--redis", server.URL())
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = cmd.Process.Kill() }()
		if !bufio.NewScanner(out).Scan() {
			t.Fatalf("%s has ended", name)
		}
		programs[name], errs[name] = cmd, bufio.NewReader(stderr)
	}
	server.Pause()
	for _, cmd := range programs {
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"faraway": told, "leased": told, "gaze": ""} {
		if line, _ := errs[name].ReadString('\n'); line != want {
			t.Errorf("%s says %q", name, line)
		}
	}
	if err := programs["faraway"].Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for name, cmd := range programs {
		if rest, err := io.ReadAll(errs[name]); err != nil || len(rest) > 0 {
			t.Errorf("%s says then %q, %v", name, rest, err)
		}
		if failed, ok := errors.AsType[*exec.ExitError](cmd.Wait()); !ok || failed.ExitCode() != 130 {
			t.Errorf("%s: %v, want exit code 130", name, failed)
		}
	}
}
