//go:build unix

package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/netspaces/netspaces/cmd/internal/clitest"
	"github.com/netspaces/netspaces/redisx/redistest"
)

// TestMain has the test binary be the command too, and its workers.
func TestMain(m *testing.M) {
	workIfLaunched()                              // by a test, and not by a script
	_ = os.Setenv("GORACE", "atexit_sleep_ms=10") // workers under the race detector would end a second late
	testscript.Main(m, map[string]func(){
		"sleigh": main,
		"small-demo": func() {
			demoLimit = 100_000
			main()
		},
	})
}

// Besides what clitest offers, scripts have
//
//	redis [CONFIGURATION...]  starts a redis-server that ends with the script, and has REDIS_URL say where
//	killworker NAME           kills a worker process of what start has started
func TestScripts(t *testing.T) {
	commands := clitest.Commands()
	maps.Copy(commands, clitest.Background())
	commands["redis"], commands["killworker"] = startRedis, killWorker
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                commands,
		Setup: func(env *testscript.Env) error {
			clitest.Prepare(env)
			return nil
		},
	})
}

func startRedis(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: redis [CONFIGURATION...]")
	}
	ts.Setenv("REDIS_URL", redistest.Start(clitest.Test(ts), args...).URL())
}

func killWorker(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: killworker NAME")
	}
	parent := clitest.Pid(ts, args[0])
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
