//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"
)

// terminal is a command on a pseudo-terminal: its stderr is there, and its stdout too if nothing else is said.
type terminal struct {
	t     *testing.T
	cmd   *exec.Cmd
	ptmx  *os.File
	cols  int
	ended chan struct{}

	mu      sync.Mutex
	written bytes.Buffer
}

// onTerminal starts the command in a terminal of so many columns. change may change what is run.
func onTerminal(t *testing.T, cols int, change func(*exec.Cmd), args ...string) *terminal {
	t.Helper()
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 24, Cols: uint16(cols)}); err != nil {
		t.Fatal(err)
	}
	x := &terminal{t: t, cmd: exec.Command("sleigh", args...), ptmx: ptmx, cols: cols, ended: make(chan struct{})}
	x.cmd.Dir = t.TempDir()
	x.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TERM=xterm-256color", "HOME=/no-home", "GORACE=atexit_sleep_ms=10"}
	x.cmd.Stdin, x.cmd.Stdout, x.cmd.Stderr = tty, tty, tty
	x.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 2}
	x.cmd.WaitDelay = patience
	if change != nil {
		change(x.cmd)
	}
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		buf := make([]byte, 4096)
		for {
			n, err := ptmx.Read(buf)
			x.mu.Lock()
			x.written.Write(buf[:n])
			x.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() {
		_ = x.cmd.Wait()
		_ = tty.Close()
		<-read
		close(x.ended)
	}()
	t.Cleanup(func() {
		_ = x.cmd.Process.Kill()
		select {
		case <-x.ended:
			_ = ptmx.Close()
		case <-time.After(patience):
			t.Error("the command or its workers do not end")
		}
	})
	return x
}

// text is all that was written to the terminal.
func (x *terminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.written.String()
}

// await waits until the text is as wanted.
func (x *terminal) await(wanted string) {
	x.t.Helper()
	re := regexp.MustCompile(wanted)
	for deadline := time.Now().Add(patience); !re.MatchString(x.text()); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			x.t.Fatalf("the terminal has no %s:\n%q", wanted, x.tail())
		}
	}
}

// tail is the last of the text, for messages.
func (x *terminal) tail() string {
	text := x.text()
	return text[max(len(text)-2000, 0):]
}

// write is as if somebody typed it.
func (x *terminal) write(keys string) {
	x.t.Helper()
	if _, err := x.ptmx.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
}

// ends waits for the end, and wants this exit code, as a shell has it.
func (x *terminal) ends(want int) {
	x.t.Helper()
	select {
	case <-x.ended:
	case <-time.After(patience):
		x.t.Fatalf("the command does not end:\n%q", x.tail())
	}
	status := x.cmd.ProcessState.Sys().(syscall.WaitStatus)
	code := status.ExitStatus()
	if status.Signaled() {
		code = 128 + int(status.Signal())
	}
	if code != want {
		x.t.Errorf("exit code %d, want %d:\n%q", code, want, x.tail())
	}
}

// screen is what the terminal shows, or has scrolled away: a small part of what terminals do, and all that is used here. What
// is not known fails the test, as does a line that is wider than the terminal where it may not.
func (x *terminal) screen() []string {
	x.t.Helper()
	var lines [][]rune
	row, col := 0, 0
	at := func() *[]rune {
		for len(lines) <= row {
			lines = append(lines, nil)
		}
		return &lines[row]
	}
	text := x.text()
	for len(text) > 0 {
		if m := sequence.FindStringSubmatch(text); m != nil {
			text = text[len(m[0]):]
			n := 1
			if m[1] != "" && !strings.HasPrefix(m[1], "?") {
				_, _ = fmt.Sscan(m[1], &n)
			}
			switch m[2] {
			case "A":
				row = max(row-n, 0)
			case "B":
				row += n
			case "F":
				row, col = max(row-n, 0), 0
			case "G":
				col = n - 1
			case "K":
				line := at()
				switch m[1] {
				case "", "0":
					*line = (*line)[:min(col, len(*line))]
				case "2":
					*line = nil
				}
			case "J":
				line := at()
				*line = (*line)[:min(col, len(*line))]
				lines = lines[:row+1]
			case "m", "h", "l": // colours, and the cursor
			default:
				x.t.Fatalf("not known: %q in\n%q", m[0], x.tail())
			}
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		switch r {
		case '\r':
			col = 0
		case '\n':
			row++
		case '\x1b', '\b', '\t':
			x.t.Fatalf("not known: %q in\n%q", text[:min(len(text), 20)], x.tail())
		default:
			if col >= x.cols { // it wraps
				row, col = row+1, 0
			}
			line := at()
			for len(*line) <= col {
				*line = append(*line, ' ')
			}
			(*line)[col] = r
			col++
		}
	}
	shown := make([]string, len(lines))
	for i, line := range lines {
		shown[i] = strings.TrimRight(string(line), " ")
	}
	return shown
}

var sequence = regexp.MustCompile(`^\x1b\[([?0-9;]*)([A-Za-z])`)
