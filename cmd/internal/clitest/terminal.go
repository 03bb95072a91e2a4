//go:build unix

package clitest

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// Terminal is a program in a pseudo-terminal.
type Terminal struct {
	Cmd *exec.Cmd

	t     testing.TB
	pty   *os.File
	ended chan struct{} // the program has, and nothing more will come

	mu      sync.Mutex
	raw     strings.Builder
	screen  *screen
	changed chan struct{}
}

// OnTerminal starts a program in a terminal of that size, which is its stdin, stdout and stderr where these are not set. It is
// killed at the end of the test if it runs still. What it writes that the terminal does not know fails the test.
func OnTerminal(t testing.TB, columns, rows int, cmd *exec.Cmd) *Terminal {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(tty, winsize(columns, rows)); err != nil {
		t.Fatal(err)
	}
	term := &Terminal{
		Cmd: cmd, t: t, pty: master, ended: make(chan struct{}), screen: newScreen(columns, rows), changed: make(chan struct{}, 1),
	}
	if cmd.Stdin == nil {
		cmd.Stdin = tty
	}
	if cmd.Stdout == nil {
		cmd.Stdout = tty
	}
	if cmd.Stderr == nil {
		cmd.Stderr = tty
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 2}
	cmd.WaitDelay = Patience
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		term.read()
	}()
	go func() {
		_ = cmd.Wait()
		_ = tty.Close()
		<-read // which is when its children have closed the terminal, too
		close(term.ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		select {
		case <-term.ended:
			_ = master.Close()
		case <-time.After(Patience):
			t.Error("the program or its children do not end")
		}
		term.mu.Lock()
		defer term.mu.Unlock()
		if term.screen.unknown != "" {
			t.Errorf("the terminal does not know %s", term.screen.unknown)
		}
	})
	return term
}

func winsize(columns, rows int) *pty.Winsize {
	return &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)} //nolint:gosec // Small.
}

func (term *Terminal) read() {
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
		if err != nil { // EIO when nobody has it open any more
			return
		}
	}
}

// Lines are those that a person sees, or saw before they were scrolled away, without colours, blanks at their ends and empty
// lines at the end.
func (term *Terminal) Lines() []string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.screen.lines()
}

// Raw is all that came so far, with its escape sequences.
func (term *Terminal) Raw() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.raw.String()
}

// Tail is the last of Raw, for messages.
func (term *Terminal) Tail() string {
	raw := term.Raw()
	return raw[max(len(raw)-2000, 0):]
}

// Await waits until what is to be seen is as wanted.
func (term *Terminal) Await(what string, wanted func(lines []string) bool) {
	term.t.Helper()
	term.await(what, func() bool { return wanted(term.Lines()) })
}

// AwaitRaw waits until Raw matches a regular expression.
func (term *Terminal) AwaitRaw(wanted string) {
	term.t.Helper()
	re := regexp.MustCompile(wanted)
	term.await(wanted, func() bool { return re.MatchString(term.Raw()) })
}

func (term *Terminal) await(what string, wanted func() bool) {
	term.t.Helper()
	late := time.After(Patience)
	for !wanted() {
		select {
		case <-term.changed:
		case <-term.ended:
			if !wanted() {
				term.t.Fatalf("the program ended without %s:\n%q", what, term.Tail())
			}
			return
		case <-late:
			term.t.Fatalf("no %s:\n%s\n%q", what, strings.Join(term.Lines(), "\n"), term.Tail())
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
	term.screen.resize(columns, rows)
	term.mu.Unlock()
	if err := pty.Setsize(term.pty, winsize(columns, rows)); err != nil {
		term.t.Fatal(err)
	}
}

// Ends waits for the end of the program, and wants this exit code, as a shell has it.
func (term *Terminal) Ends(want int) {
	term.t.Helper()
	select {
	case <-term.ended:
	case <-time.After(Patience):
		term.t.Fatalf("the program does not end:\n%q", term.Tail())
	}
	if code := exitCode(term.Cmd.ProcessState); code != want {
		term.t.Errorf("exit code %d, want %d:\n%q", code, want, term.Tail())
	}
}
