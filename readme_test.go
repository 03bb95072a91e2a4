package netspaces_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The program in the README is what a newcomer copies: it compiles, and prints what its last line says.
func TestReadmeProgram(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "```go\n")
	program, _, ended := strings.Cut(rest, "```\n")
	if !found || !ended {
		t.Fatal("README.md has no Go program")
	}
	_, rest, found = strings.Cut(program, "fmt.Println(squares, err) // ")
	want, _, _ := strings.Cut(rest, "\n")
	if !found || want == "" {
		t.Fatal("the program in README.md does not say what it prints")
	}
	dir := t.TempDir()
	source, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "square")
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, source).CombinedOutput(); err != nil {
		t.Fatalf("it does not compile: %v\n%s", err, out)
	}
	run := exec.CommandContext(t.Context(), binary)
	run.Env = append(os.Environ(), "REDIS_URL=")
	out, err := run.Output()
	if err != nil || string(out) != want+"\n" {
		t.Errorf("it printed %q, %v; the README says %q", out, err, want)
	}
}
