package chaos

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/netspaces/netspaces/sleigh"
)

// roleEnv makes the test binary play a part instead of running tests; markEnv tells the processes of one test from all
// others.
const (
	roleEnv = "CHAOS_ROLE"
	markEnv = "CHAOS_MARK"
)

func TestMain(m *testing.M) {
	role := os.Getenv(roleEnv)
	if os.Getenv("NETSPACES_WORKER") != "" { // launched by one of these, whose input is for the worker
		role = ""
	}
	switch role {
	case "volunteer": // it ends with the test, whatever happens to that
		stdin := os.Stdin
		go func() {
			_, _ = io.Copy(io.Discard, stdin)
			os.Exit(1)
		}()
	case "master":
		os.Exit(playMaster())
	}
	sleigh.Main()

	// A data race in another process is seen by its report. The race detector would also have each of them wait for a second
	// when it ends.
	races, err := os.MkdirTemp("", "sleigh-races-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = os.Setenv("GORACE", "atexit_sleep_ms=10 log_path="+filepath.Join(races, "report"))
	goleak.VerifyTestMain(m, goleak.Cleanup(func(exitCode int) {
		reports, _ := filepath.Glob(races + "/*")
		for _, file := range reports {
			text, _ := os.ReadFile(file)
			fmt.Fprintf(os.Stderr, "a process has a data race:\n%s\n", text)
			exitCode = 1
		}
		_ = os.RemoveAll(races)
		os.Exit(exitCode)
	}))
}
