//go:build unix

package cli

import (
	"bufio"
	"errors"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// What the first signal, the second and the third do, to a command that takes care of the second and to others.
func TestSignals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		command string
		signals []syscall.Signal
		output  string
		code    int
	}{
		{"wait", []syscall.Signal{syscall.SIGINT}, "waiting", 130},
		{"wait", []syscall.Signal{syscall.SIGTERM}, "waiting", 143},
		{"stubborn", []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}, "waiting once", 143},
		{"polite", []syscall.Signal{syscall.SIGTERM, syscall.SIGINT}, "waiting once twice", 0},
	} {
		t.Run(test.command, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command("prog", test.command)
			var errs strings.Builder
			cmd.Stderr = &errs
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cmd.Process.Kill() }()
			lines := bufio.NewScanner(out)
			var words []string
			for _, signal := range test.signals {
				if !lines.Scan() {
					t.Fatal("it ended before the signal")
				}
				words = append(words, lines.Text())
				if err := cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
			}
			rest, err := io.ReadAll(readerOf(lines))
			if err != nil {
				t.Fatal(err)
			}
			words = append(words, strings.Fields(string(rest))...)
			code := 0
			if failed, ok := errors.AsType[*exec.ExitError](cmd.Wait()); ok {
				code = failed.ExitCode()
			}
			if got := strings.Join(words, " "); code != test.code || got != test.output || errs.Len() > 0 {
				t.Errorf("exit code %d, want %d; printed %q, want %q; stderr %q", code, test.code, got, test.output, &errs)
			}
		})
	}
}

// A shell that ignores Ctrl-C, or runs a program in the background, has it ignored there too.
func TestIgnoredSignal(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("sh", "-c", "trap '' INT; exec prog wait")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	if !bufio.NewScanner(out).Scan() {
		t.Fatal("it has ended")
	}
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	failed, ok := errors.AsType[*exec.ExitError](cmd.Wait())
	if !ok || failed.ExitCode() != 143 {
		t.Errorf("%v, want exit code 143", failed)
	}
}

// readerOf gives the lines that are left.
func readerOf(lines *bufio.Scanner) io.Reader {
	var rest strings.Builder
	for lines.Scan() {
		rest.WriteString(lines.Text() + "\n")
	}
	return strings.NewReader(rest.String())
}
