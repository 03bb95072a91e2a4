package each_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/each"
)

// patience is far longer than anything here takes on a busy machine. What waits for so long has failed.
const patience = 150 * time.Second

// roleEnv makes the test binary play a part instead of running tests.
const roleEnv = "EACH_TEST_ROLE"

func TestMain(m *testing.M) {
	if _, set := os.LookupEnv(each.AllowEnv); !set {
		each.AllowCommands()
	}
	sleigh.Main()
	if play, ok := roles[os.Getenv(roleEnv)]; ok {
		os.Exit(play())
	}
	goleak.VerifyTestMain(m)
}

// roles are the parts that the test binary can play.
var roles = map[string]func() int{}

// testContext ends a test that hangs while the others still can tell their results.
func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, fmt.Errorf("%s hangs", t.Name()))
	t.Cleanup(cancel)
	return ctx
}

// open opens an embedded Redis until the end of the test.
func open(t testing.TB) *redisx.Client {
	t.Helper()
	rdb, err := redisx.Open(t.Context(), "mem://", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// start starts a sleigh, and stops it at the end of the test.
func start(t testing.TB, launch sleigh.Launcher) *sleigh.Sleigh {
	t.Helper()
	s, err := sleigh.Start(testContext(t), open(t), &sleigh.Options{Launch: launch})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return s
}

// sh is a command that a shell runs.
func sh(script string) each.Command {
	return each.Command{Args: []string{"sh", "-c", script, "sh", "{}"}}
}

// printed is what a run has written.
type printed struct{ stdout, stderr bytes.Buffer }

// run runs a command, and fails the test where that returns an error.
func run(t testing.TB, s *sleigh.Sleigh, c each.Command, o each.Options, items ...string) (*printed, each.Summary) {
	t.Helper()
	var p printed
	o.Stdout, o.Stderr = &p.stdout, &p.stderr
	sum, err := each.Run(testContext(t), s, each.Items(items...), c, &o)
	if err != nil {
		t.Fatal(err)
	}
	return &p, sum
}

// need skips a test where a program is missing, which CI must not do.
func need(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("no %s on PATH", program)
	}
	t.Skipf("no %s on PATH", program)
}
