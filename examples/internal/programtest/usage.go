//go:build unix

package programtest

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// Fails checks that the program ends with the exit code, and says why, but nothing on standard output.
func Fails(t *testing.T, code int, why string, args ...string) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(stderr.String(), why) || stdout.Len() > 0 {
		t.Errorf("%q: exit code %d, stdout %q, stderr %q; want %d and %q", args, got, stdout.String(), stderr.String(), code, why)
	}
}
