//go:build unix

package clitest

import (
	"slices"
	"testing"
)

func TestScreen(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"lines":              {"one\r\ntwo \r\n\r\n", []string{"one", "two"}},
		"a line feed":        {"one\ntwo", []string{"one", "   two"}},
		"over it":            {"three\rone", []string{"oneee"}},
		"wide":               {"0123456789abc", []string{"0123456789", "abc"}},
		"as wide":            {"0123456789\r\nabc", []string{"0123456789", "abc"}},
		"erased to the end":  {"three\r\x1b[2G\x1b[K", []string{"t"}},
		"erased":             {"three\x1b[2Kx", []string{"     x"}},
		"erased below":       {"one\r\ntwo\r\nthree\x1b[1A\r\x1b[Jx", []string{"one", "x"}},
		"up and down":        {"one\r\ntwo\x1b[A\rO\x1b[B\x1b[GT\x1b[FE", []string{"Ene", "Two"}},
		"up at the top":      {"1\r\n2\r\n3\r\n4\r\n5\x1b[9A\rx", []string{"1", "x", "3", "4", "5"}},
		"down at the bottom": {"1\r\n2\r\n3\r\n4\r\n5\x1b[9B\rx", []string{"1", "2", "3", "4", "x"}},
		"colours":            {"\x1b[1mone\x1b[0m \x1b[38;5;1mtwo", []string{"one two"}},
		"cursor":             {"\x1b[?25lone\x1b[?25h", []string{"one"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScreen(10, 4)
			for _, b := range []byte(test.text) { // nothing may depend on what comes together
				s.write(string([]byte{b}))
			}
			if got := s.lines(); !slices.Equal(got, test.want) || s.unknown != "" || s.pending != "" || s.hidden {
				t.Errorf("it shows %q, want %q; unknown %s", got, test.want, s.unknown)
			}
		})
	}
}

func TestScreenKnowsNot(t *testing.T) {
	for _, text := range []string{"\t", "\b", "\a", "\x1b[1K", "\x1b[2J", "\x1b[?1049h", "\x1b[5;5H", "\x1b]0;title\a", "\x1bc", "\xff "} {
		s := newScreen(10, 4)
		s.write("x" + text + "y")
		if s.unknown == "" {
			t.Errorf("it takes %q", text)
		}
	}
}

// Lines are broken anew, and the cursor stays where it was in its own.
func TestScreenResized(t *testing.T) {
	s := newScreen(10, 4)
	s.write("0123456789abc\r\none\r\nä0123456789ab\x1b[A\x1b[4G")
	for _, test := range []struct {
		columns int
		want    []string
	}{
		{5, []string{"01234", "56789", "abc", "one", "ä0123", "45678", "9ab"}},
		{20, []string{"0123456789abc", "one", "ä0123456789ab"}},
		{10, []string{"0123456789", "abc", "one", "ä012345678", "9ab"}},
	} {
		s.resize(test.columns, 4)
		if got := s.lines(); !slices.Equal(got, test.want) {
			t.Errorf("in %d columns it shows %q, want %q", test.columns, got, test.want)
		}
	}
	s.write("x\x1b[K")
	if got := s.lines(); !slices.Equal(got[3:], []string{"ä01x", "9ab"}) {
		t.Errorf("at the end it shows %q", got)
	}
}
