package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/netspaces/netspaces/cmd/internal/clitest"
)

// The commands in docs/nws.md are run as they stand there, and print what it says.
func TestDocs(t *testing.T) {
	t.Parallel()
	clitest.RunPage(t, filepath.Join("..", "..", "docs", "nws.md"), 5, append(os.Environ(), newEmptySite(t).env()...))
}
