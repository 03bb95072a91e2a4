//go:build unix

package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/cmd/internal/clitest"
	"github.com/netspaces/netspaces/workspace"
)

const (
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
)

// terminal runs nws in a terminal of ten rows.
func (s *site) terminal(columns int, args ...string) *clitest.Terminal {
	s.t.Helper()
	return clitest.OnTerminal(s.t, columns, 10, s.command(args...))
}

// The table stays in its place while it changes, fits, and the terminal is as before when it ends.
func TestWatchOnTerminal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		columns int
		title   string
	}{
		{"wide", 120, "NAME                        MODE  VALUES  CLAIMED  FETCHERS  FINDERS"},
		{"narrow", 40, "NAME                        MODE  VALUE…"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.store("temperature-of-the-station", 1)
			term := s.terminal(test.columns, "watch", "ws")
			shows := func(row string) func([]string) bool {
				return func(lines []string) bool {
					return len(lines) == 2 && lines[0] == test.title && strings.HasPrefix(lines[1], row)
				}
			}
			term.Await("one value", shows("temperature-of-the-station  fifo       1"[:min(40, test.columns)-1]))
			for i := range 10 {
				s.store("temperature-of-the-station", i)
			}
			if test.columns > 40 {
				term.Await("eleven values", shows("temperature-of-the-station  fifo      11"))
			}
			s.store("wind", 1)
			term.Await("another variable", func(lines []string) bool { return len(lines) == 3 && strings.HasPrefix(lines[2], "wind ") })
			// Another size: drawn anew at once, without a change of the variables, and nothing is left of what was there.
			term.Resize(34, 10)
			term.Await("a cut table", func(lines []string) bool {
				return len(lines) == 3 && lines[0] == "NAME                        MODE …" && strings.HasPrefix(lines[2], "wind ")
			})
			term.Resize(100, 10)
			term.Await("a whole table", func(lines []string) bool { return len(lines) == 3 && strings.HasSuffix(lines[0], "FINDERS") })
			term.Resize(100, 3)
			term.Await("as much as fits", func(lines []string) bool { return slices.Contains(lines, "… 2 more lines") })
			before := term.Raw()
			term.Type("\x03")
			term.Ends(130)
			if strings.Count(before, hideCursor) != 1 || strings.Contains(before, showCursor) ||
				!strings.HasSuffix(term.Raw(), showCursor) {
				t.Errorf("the cursor is not hidden once and shown at the end: %q", term.Raw())
			}
		})
	}
}

func TestWatchEndsWithWorkspace(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.store("v", 1)
	term := s.terminal(80, "watch", "ws")
	term.Await("the table", func(lines []string) bool { return len(lines) == 2 })
	if err := s.ws.Close(); err != nil { // its owner's: deletes it
		t.Fatal(err)
	}
	term.Ends(3)
	lines := term.Lines()
	if len(lines) < 3 || !strings.HasPrefix(lines[0], "NAME") ||
		!strings.HasPrefix(lines[2], `nws: workspace "ws": no such workspace`) {
		t.Errorf("want the last table and the error below it: %q", lines)
	}
	if !strings.Contains(term.Raw(), showCursor) {
		t.Error("the cursor is still hidden")
	}
}

func TestRmAsks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		answer string
		code   int
		gone   bool
	}{
		{"y\n", 0, true},
		{"YES\n", 0, true},
		{"n\n", 1, false},
		{"\n", 1, false},
		{"yeah\n", 1, false},
		{"\x04", 1, false}, // Ctrl-D
		{"\x03", 130, false},
	} {
		t.Run(strings.TrimSpace(test.answer), func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.store("v", 1, 2)
			term := s.terminal(80, "rm", "ws", "v")
			question := `Delete variable "v" of workspace "ws" with 2 values? [y/N]`
			term.Await("the question", func(lines []string) bool { return len(lines) == 1 && strings.HasPrefix(lines[0], question) })
			term.Type(test.answer)
			term.Ends(test.code)
			known, err := s.ws.Known(t.Context(), "v")
			if err != nil || known == test.gone {
				t.Errorf("deleted: %t, %v, want %t", !known, err, test.gone)
			}
		})
	}
}

func TestRmOfWorkspaceAsks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.store("v", 1, 2)
	s.store("w", 1, 2)
	term := s.terminal(80, "rm", "ws")
	term.Await("the question", func(lines []string) bool {
		return len(lines) == 1 && strings.HasPrefix(lines[0], `Delete workspace "ws" with 2 variables? [y/N]`)
	})
	term.Type("y\n")
	term.Ends(0)
	if _, err := s.ws.ListVars(t.Context()); !errors.Is(err, workspace.ErrNoWorkspace) {
		t.Errorf("the workspace is still there: %v", err)
	}
}

// Titles are bold on a terminal only, and only where colours are wanted; no other command colours anything.
func TestColours(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.store("v", 1)
	for _, test := range []struct {
		env   string
		args  []string
		title string
	}{
		{"", []string{"ls"}, "\x1b[1mNAME  VARIABLES  PERSISTENT  OWNER\x1b[0m\r\n"},
		{"NO_COLOR=1", []string{"ls"}, "NAME  VARIABLES  PERSISTENT  OWNER\r\n"},
		{"NETSPACES_NO_COLOR=true", []string{"ls"}, "NAME  VARIABLES  PERSISTENT  OWNER\r\n"},
		{"TERM=dumb", []string{"ls"}, "NAME  VARIABLES  PERSISTENT  OWNER\r\n"},
		{"", []string{"ls", "--no-color"}, "NAME  VARIABLES  PERSISTENT  OWNER\r\n"},
	} {
		t.Run(test.env+strings.Join(test.args, " "), func(t *testing.T) {
			t.Parallel()
			cmd := s.command(test.args...)
			cmd.Env = append(cmd.Env, test.env)
			term := clitest.OnTerminal(t, 120, 10, cmd)
			if term.Ends(0); !strings.HasPrefix(term.Raw(), test.title) {
				t.Errorf("want %q: %q", test.title, term.Raw())
			}
		})
	}
}

// On a terminal rows are cut to its width; the value of fetch and find never is.
func TestNarrowTerminal(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	name := strings.Repeat("long", 20)
	s.store(name, name)
	term := s.terminal(40, "ls", "ws")
	if term.Ends(0); len(term.Lines()) != 2 || term.Lines()[1] != name[:39]+"…" {
		t.Errorf("want two lines of 40 columns: %q", term.Lines())
	}
	term = s.terminal(40, "find", "ws", name)
	if term.Ends(0); term.Raw() != name+"\r\n" {
		t.Errorf("want the whole value: %q", term.Raw())
	}
}

// A person who gives no value is told so, and not kept waiting.
func TestStoreFromTerminal(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	term := s.terminal(80, "store", "ws", "v")
	if term.Ends(2); !strings.Contains(term.Raw(), "VALUE is missing") {
		t.Errorf("it says %q", term.Raw())
	}
	term = s.terminal(80, "store", "ws", "v", "-")
	term.Type("21\n\x04")
	term.Ends(0)
	var value int
	if there, err := s.ws.TryFetch(t.Context(), "v", &value); !there || err != nil || value != 21 {
		t.Errorf("%d, %t, %v; want 21", value, there, err)
	}
	term = s.terminal(120, "store", "ws", "v", "-", "--verbose")
	term.Await("that it runs", func(lines []string) bool { return len(lines) > 0 && strings.Contains(lines[0], "connected") })
	term.Type("\x03")
	term.Ends(130)
}
