// Package programtest runs the example programs as users do: built, with a terminal, and with processes that are killed.
package programtest

import (
	"os"
	"testing"

	"github.com/netspaces/netspaces/sleigh"
)

// builtIn is the folder of the program that the tests have built, if they have.
var builtIn string

// Main is for TestMain: the test binary is the worker too of the sleighs that the tests start.
func Main(m *testing.M) {
	sleigh.Main()
	_ = os.Unsetenv("REDIS_URL")
	_ = os.Setenv("GORACE", "atexit_sleep_ms=10") // Workers under the race detector would end a second late.
	code := m.Run()
	_ = os.RemoveAll(builtIn)
	os.Exit(code)
}
