//go:build unix

package clitest

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// Terminal is a program in a pseudo-terminal, which is its stdin, stdout and stderr.
type Terminal struct {
	t   testing.TB
	cmd *exec.Cmd
	pty *os.File

	mu      sync.Mutex
	raw     strings.Builder
	screen  *screen
	changed chan struct{}
	ended   chan struct{} // nothing more will come
}

// StartTerminal starts a program in a terminal of that size. It is killed at the end of the test if it runs still. Entries of
// env are added to the environment.
func StartTerminal(t testing.TB, columns, rows int, env []string, program string, args ...string) *Terminal {
	t.Helper()
	term := &Terminal{t: t, screen: newScreen(columns), changed: make(chan struct{}, 1), ended: make(chan struct{})}
	term.cmd = exec.Command(program, args...)
	term.cmd.Env = append(append(os.Environ(), "TERM=xterm-256color"), env...)
	var err error
	term.pty, err = pty.StartWithSize(term.cmd, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)}) //nolint:gosec // Small.
	if err != nil {
		t.Fatal(err)
	}
	go term.read()
	t.Cleanup(func() {
		if term.cmd.ProcessState == nil {
			_ = term.cmd.Process.Kill()
			_ = term.cmd.Wait()
		}
		_ = term.pty.Close()
		<-term.ended
	})
	return term
}

func (term *Terminal) read() {
	defer close(term.ended)
	buffer := make([]byte, 4096)
	for {
		n, err := term.pty.Read(buffer)
		term.mu.Lock()
		term.raw.Write(buffer[:n])
		term.screen.write(string(buffer[:n]))
		term.mu.Unlock()
		select {
		case term.changed <- struct{}{}:
		default:
		}
		if err != nil { // EIO when the program has ended
			return
		}
	}
}

// Lines are those that a person sees, without colours and empty lines at the end.
func (term *Terminal) Lines() []string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.screen.visible()
}

// Raw is all that came so far, with its escape sequences.
func (term *Terminal) Raw() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.raw.String()
}

// Await waits until what is to be seen is as wanted.
func (term *Terminal) Await(what string, wanted func(lines []string) bool) {
	term.t.Helper()
	late := time.After(patience)
	for !wanted(term.Lines()) {
		select {
		case <-term.changed:
		case <-term.ended:
			if !wanted(term.Lines()) {
				term.t.Fatalf("the program ended without %s:\n%s", what, strings.Join(term.Lines(), "\n"))
			}
			return
		case <-late:
			term.t.Fatalf("no %s:\n%s\n%q", what, strings.Join(term.Lines(), "\n"), term.Raw())
		}
	}
}

// Type types a text. "\x03" is Ctrl-C.
func (term *Terminal) Type(text string) {
	term.t.Helper()
	if _, err := term.pty.WriteString(text); err != nil {
		term.t.Fatal(err)
	}
}

// Resize gives the terminal another size.
func (term *Terminal) Resize(columns, rows int) {
	term.t.Helper()
	term.mu.Lock()
	term.screen.columns = columns
	term.mu.Unlock()
	if err := pty.Setsize(term.pty, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)}); err != nil { //nolint:gosec // Small.
		term.t.Fatal(err)
	}
}

// Wait waits for the end of the program and returns its exit code.
func (term *Terminal) Wait() int {
	term.t.Helper()
	stop := time.AfterFunc(patience, func() { _ = term.cmd.Process.Kill() })
	defer stop.Stop()
	err := term.cmd.Wait()
	<-term.ended
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return failed.ExitCode()
	}
	if err != nil {
		term.t.Fatal(err)
	}
	return 0
}
