//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/redisx/redistest"
)

// The commands in docs/sleigh.md are run as they stand there, in one shell, and print what it says.
func TestDocs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "sleigh.md"))
	if err != nil {
		t.Fatal(err)
	}
	var commands, want strings.Builder
	blocks := 0
	for i, block := range strings.Split("\n"+string(text), "\n```") {
		kind, rest, _ := strings.Cut(block, "\n")
		switch {
		case i%2 == 0, kind == "ini": // between blocks, and the unit of a service
		case kind == "sh":
			blocks++
			commands.WriteString(rest + "\n")
		case kind == "text":
			want.WriteString(rest + "\n")
		default:
			t.Fatalf("a block of another kind: %q", block)
		}
	}
	if blocks < 8 {
		t.Errorf("%d blocks of commands were found", blocks)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-eu", "-o", "pipefail", "-c", commands.String())
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/no-home", "GORACE=atexit_sleep_ms=0", "REDIS_URL=" + redistest.Start(t).URL()}
	var got bytes.Buffer
	cmd.Stdout, cmd.Stderr = &got, t.Output()
	cmd.WaitDelay = patience // workers that do not end hold its stderr
	if err := cmd.Run(); err != nil || got.String() != want.String() {
		t.Errorf("%v\n%swant\n%s", err, &got, &want)
	}
}
