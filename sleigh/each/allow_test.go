package each_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/each"
)

// A worker runs what it may, and nothing else.
func TestAllowed(t *testing.T) {
	ls, err := exec.LookPath("ls")
	if err != nil {
		t.Fatal(err)
	}
	evil := t.TempDir()
	for _, name := range []string{"ls", "other"} {
		if err := os.WriteFile(filepath.Join(evil, name), []byte("#!/bin/sh\necho evil\n"), 0o700); err != nil { //nolint:gosec // It is to be run.
			t.Fatal(err)
		}
	}
	t.Chdir(evil)
	s := start(t, sleigh.InProcess(1))
	for _, c := range []struct {
		list, program string
		ran, listed   bool
	}{
		{"all", "ls", true, false},
		{"1", evil + "/ls", true, false},
		{"", "ls", false, false},
		{" , ", "ls", false, false},
		{"0", "ls", false, true},
		{"ls", "ls", true, true},
		{"cat, ls ,echo", "ls", true, true},
		{"ls", ls, true, true},
		{ls, "ls", true, true},
		{ls, filepath.Dir(ls) + "/../" + filepath.Base(filepath.Dir(ls)) + "/ls", true, true},
		{"ls", evil + "/ls", false, true},
		{"ls", "./ls", false, true},
		{"./ls", "./ls", false, true},
		{"ls", evil + "/../" + filepath.Base(evil) + "/ls", false, true},
		{"ls", "cat", false, true},
		{"ls", "l", false, true},
		{"cat", "", false, true},
		{"ls", "no-such-program-42", false, true},
		{"ls,no-such-program-42", "no-such-program-42", true, true},
		{evil + "/other", evil + "/other", true, true},
		{evil + "/other", "./other", true, true}, // it is the same
		{evil, evil + "/other", false, true},
		{"*", "ls", false, true},
	} {
		t.Setenv(each.AllowEnv, c.list)
		_, err := each.Run(testContext(t), s, each.Items("/"), each.Command{Args: []string{c.program, "{}"}}, nil)
		refused, ok := errors.AsType[*each.NotAllowedError](err)
		switch {
		case c.ran && err != nil:
			t.Errorf("with %q, %s: %v", c.list, c.program, err)
		case !c.ran && (!ok || !errors.Is(err, each.ErrNotAllowed) || refused.Program != c.program || refused.Listed != c.listed || refused.Host == ""):
			t.Errorf("with %q, %s: %v", c.list, c.program, err)
		case !c.ran && !strings.Contains(err.Error(), "--allow-commands"):
			t.Errorf("it does not say what to do: %v", err)
		}
	}
}

// The PATH is the worker's, whatever the item is.
func TestItemAsProgram(t *testing.T) {
	t.Setenv(each.AllowEnv, "echo")
	s := start(t, sleigh.InProcess(1))
	sum, err := each.Run(testContext(t), s, each.Items("echo", "sh"), each.Command{Args: []string{"{}", "a"}}, &each.Options{KeepOrder: true, Chunk: 1})
	if !errors.Is(err, each.ErrNotAllowed) || sum.Done != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
}

// AllowCommands is for workers that are launched later, too.
func TestAllowCommands(t *testing.T) {
	t.Setenv(each.AllowEnv, "")
	each.AllowCommands("echo", "/bin/cat")
	s := start(t, sleigh.Local(1))
	if p, _ := run(t, s, each.Command{Args: []string{"echo"}}, each.Options{}, "a"); p.stdout.String() != "a\n" {
		t.Errorf("%q", &p.stdout)
	}
	if _, err := each.Run(testContext(t), s, each.Items("x"), each.Command{Args: []string{"ls"}}, nil); !errors.Is(err, each.ErrNotAllowed) {
		t.Errorf("ls: %v", err)
	}
	each.AllowCommands()
	if got := os.Getenv(each.AllowEnv); got != "all" {
		t.Errorf("all are %q", got)
	}
}
