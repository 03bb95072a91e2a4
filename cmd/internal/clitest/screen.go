//go:build unix

package clitest

import (
	"fmt"
	"strconv"
	"strings"
)

// screen is what a terminal shows, as far as programs here make use of it: text, newlines, the cursor going up by whole rows,
// erasing, and colours, which are left out. Like most terminals it breaks lines anew when it gets another width.
type screen struct {
	columns int
	lines   []string // as they were written; each takes one or more rows
	at      int      // the line of the cursor
	column  int      // of the cursor in that line
	hidden  bool     // the cursor
	pending string   // the beginning of an escape sequence, or of a character
}

func newScreen(columns int) *screen { return &screen{columns: columns, lines: []string{""}} }

func (s *screen) write(text string) {
	text = s.pending + text
	s.pending = ""
	for len(text) > 0 {
		if text[0] != '\x1b' {
			next := strings.IndexByte(text, '\x1b')
			if next < 0 {
				next = len(text)
			}
			s.print(text[:next])
			text = text[next:]
			continue
		}
		end := strings.IndexAny(text, "ABCDEFGHJKSTfhlmnsu")
		if end < 0 {
			s.pending = text
			return
		}
		s.escape(text[2:end], text[end])
		text = text[end+1:]
	}
}

func (s *screen) print(text string) {
	for _, r := range text {
		switch r {
		case '\r':
			s.column = 0
		case '\n':
			s.at++
			if s.at == len(s.lines) {
				s.lines = append(s.lines, "")
			}
		default:
			line := []rune(s.lines[s.at])
			for len(line) <= s.column {
				line = append(line, ' ')
			}
			line[s.column] = r
			s.lines[s.at] = string(line)
			s.column++
		}
	}
}

func (s *screen) escape(argument string, kind byte) {
	n, err := strconv.Atoi(argument)
	if err != nil {
		n = 1
	}
	switch kind {
	case 'A':
		for n > 0 && s.at > 0 {
			s.at--
			n -= s.rows(s.lines[s.at])
		}
		if n < 0 {
			s.lines[s.at] += fmt.Sprintf(" <the cursor is %d rows inside this line>", -n)
		}
	case 'J':
		s.lines = append(s.lines[:s.at], string([]rune(s.lines[s.at])[:s.column]))
	case 'K':
		s.lines[s.at] = string([]rune(s.lines[s.at])[:s.column])
	case 'h', 'l':
		if argument == "?25" {
			s.hidden = kind == 'l'
		}
	}
}

// rows is how many rows a line takes.
func (s *screen) rows(line string) int {
	return max(1, (len([]rune(line))+s.columns-1)/s.columns)
}

// visible are the lines as they are to be seen, broken at the width.
func (s *screen) visible() []string {
	var rows []string
	for _, line := range s.lines {
		rest := []rune(line)
		for len(rest) > s.columns {
			rows = append(rows, string(rest[:s.columns]))
			rest = rest[s.columns:]
		}
		rows = append(rows, string(rest))
	}
	for len(rows) > 0 && rows[len(rows)-1] == "" {
		rows = rows[:len(rows)-1]
	}
	return rows
}
