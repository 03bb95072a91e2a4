//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/netspaces/netspaces/cmd/internal/clitest"
	"github.com/netspaces/netspaces/redisx/redistest"
)

// The commands in docs/sleigh.md are run as they stand there, and print what it says.
func TestDocs(t *testing.T) {
	t.Parallel()
	clitest.RunPage(t, filepath.Join("..", "..", "docs", "sleigh.md"), 8, []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/no-home", "GORACE=atexit_sleep_ms=10", "REDIS_URL=" + redistest.Start(t).URL(),
	})
}
