package clitest

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Patience is far longer than anything here takes on a busy machine. What waits for so long has failed.
const Patience = 60 * time.Second

// RunPage runs the commands of a page of the documentation as they stand there, in one shell with that environment, and wants
// what the page says that they print. They are in blocks of the kind sh, of which there must be that many at the least, and
// what they print in blocks of the kind text. Blocks of the kind ini are not for a shell.
func RunPage(t *testing.T, file string, least int, env []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var commands, want strings.Builder
	blocks := 0
	for i, block := range strings.Split("\n"+string(text), "\n```") {
		kind, rest, _ := strings.Cut(block, "\n")
		switch {
		case i%2 == 0, kind == "ini": // between blocks, and what is not for a shell
		case kind == "sh":
			blocks++
			commands.WriteString(rest + "\n")
		case kind == "text":
			want.WriteString(rest + "\n")
		default:
			t.Fatalf("a block of another kind: %q", block)
		}
	}
	if blocks < least {
		t.Errorf("%d blocks of commands were found", blocks)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-eu", "-o", "pipefail", "-c", commands.String())
	cmd.Dir, cmd.Env = t.TempDir(), env
	var got bytes.Buffer
	cmd.Stdout, cmd.Stderr = &got, t.Output()
	cmd.WaitDelay = Patience // what does not end holds its stderr
	if err := cmd.Run(); err != nil || got.String() != want.String() {
		t.Errorf("%v\n%swant\n%s", err, &got, &want)
	}
}
