package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The commands in docs/nws.md are run as they stand there, in one shell, and print what it says.
func TestDocs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "nws.md"))
	if err != nil {
		t.Fatal(err)
	}
	var commands, want strings.Builder
	blocks := 0
	for i, block := range strings.Split("\n"+string(text), "\n```") {
		kind, rest, _ := strings.Cut(block, "\n")
		switch {
		case i%2 == 0: // between blocks
		case kind == "sh":
			blocks++
			commands.WriteString(rest + "\n")
		case kind == "text":
			want.WriteString(rest + "\n")
		default:
			t.Fatalf("a block of another kind: %q", block)
		}
	}
	if blocks < 5 {
		t.Errorf("%d blocks of commands were found", blocks)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-eu", "-o", "pipefail", "-c", commands.String())
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), newEmptySite(t).env()...)
	cmd.Stderr = t.Output()
	if got, err := cmd.Output(); err != nil || string(got) != want.String() {
		t.Errorf("%v\n%swant\n%s", err, got, &want)
	}
}
