//go:build unix

package each_test

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/each"
)

// A command leads a session, so that it has no terminal: one that reads from it as a background job would be stopped for good.
func TestNoTerminal(t *testing.T) {
	if _, err := exec.LookPath("ps"); err != nil {
		t.Fatal(err)
	}
	var out printed
	s := start(t, sleigh.InProcess(1))
	if _, err := each.Run(testContext(t), s, each.Items("x"), sh("echo $$; ps -o sid= -p $$"), &each.Options{Stdout: &out.stdout}); err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(out.stdout.String())
	if len(fields) != 2 || fields[0] != fields[1] {
		t.Errorf("process and session are %q", fields)
	}
	if _, err := strconv.Atoi(fields[0]); err != nil {
		t.Error(err)
	}
}
