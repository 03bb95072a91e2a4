//go:build unix

package clitest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// screen is what a terminal shows, and what it has scrolled away: a small part of what terminals do, and all that programs here
// make use of. What it does not know it notes. Like most terminals it breaks lines anew when it gets another width.
type screen struct {
	columns, height int

	rows    []row
	top     int // the first row that is not scrolled away
	at      int // the row of the cursor
	column  int // of the cursor; that after the last one before the line goes on
	hidden  bool
	pending string // the beginning of an escape sequence, or of a character
	unknown string // the first of what it does not know
}

type row struct {
	text   []rune
	broken bool // the line goes on in the next row
}

func newScreen(columns, height int) *screen {
	return &screen{columns: columns, height: height, rows: make([]row, 1)}
}

var (
	sequence   = regexp.MustCompile(`^\x1b\[([?0-9;]*)([A-Za-z])`)
	unfinished = regexp.MustCompile(`^\x1b(\[[?0-9;]*)?$`)
)

func (s *screen) write(text string) {
	text = s.pending + text
	s.pending = ""
	for len(text) > 0 {
		if text[0] == '\x1b' {
			if unfinished.MatchString(text) {
				s.pending = text
				return
			}
			found := sequence.FindStringSubmatch(text)
			if found == nil {
				s.complain(text[:min(len(text), 20)])
				text = text[1:]
				continue
			}
			s.escape(found[1], found[2])
			text = text[len(found[0]):]
			continue
		}
		if !utf8.FullRuneInString(text) {
			s.pending = text
			return
		}
		r, size := utf8.DecodeRuneInString(text)
		s.print(r)
		text = text[size:]
	}
}

func (s *screen) complain(what string) {
	if s.unknown == "" {
		s.unknown = fmt.Sprintf("%q", what)
	}
}

func (s *screen) print(r rune) {
	switch {
	case r == '\r':
		s.column = 0
		return
	case r == '\n':
		s.down(1)
		return
	case r < ' ' || r == '\x7f' || r == utf8.RuneError:
		s.complain(string(r))
		return
	}
	if s.column >= s.columns {
		s.rows[s.at].broken = true
		s.down(1)
		s.column = 0
	}
	line := &s.rows[s.at]
	for len(line.text) <= s.column {
		line.text = append(line.text, ' ')
	}
	line.text[s.column] = r
	s.column++
}

// down moves the cursor, and scrolls if it has to.
func (s *screen) down(n int) {
	s.at += n
	for len(s.rows) <= s.at {
		s.rows = append(s.rows, row{})
	}
	s.top = max(s.top, s.at-s.height+1)
}

// erase erases the row of the cursor from there on.
func (s *screen) erase() {
	line := &s.rows[s.at]
	*line = row{text: line.text[:min(s.column, len(line.text))]}
}

func (s *screen) escape(argument, kind string) {
	n, err := strconv.Atoi(argument)
	if err != nil {
		n = 1
	}
	switch kind + argument {
	case "K", "K0":
		s.erase()
	case "K2":
		s.rows[s.at] = row{}
	case "J", "J0":
		s.erase()
		s.rows = s.rows[:s.at+1]
	case "h?25", "l?25":
		s.hidden = kind == "l"
	default:
		switch kind {
		case "m": // colours
		case "A":
			s.at = max(s.at-n, s.top)
		case "B":
			s.down(min(n, s.top+s.height-1-s.at))
		case "F":
			s.at, s.column = max(s.at-n, s.top), 0
		case "G":
			s.column = n - 1
		default:
			s.complain("\x1b[" + argument + kind)
		}
	}
}

// resize gives the screen another size. The cursor stays in its line, at what it stands on.
func (s *screen) resize(columns, height int) {
	var rows []row
	at, column := 0, 0
	var line []rune
	offset := -1 // of the cursor in this line
	for i, r := range s.rows {
		if i == s.at {
			offset = len(line) + s.column
		}
		if line = append(line, r.text...); r.broken {
			continue
		}
		first := len(rows)
		for len(line) > columns {
			rows = append(rows, row{line[:columns:columns], true})
			line = line[columns:]
		}
		rows = append(rows, row{text: line})
		if offset >= 0 {
			at = min(first+offset/columns, len(rows)-1)
			column = min(offset-(at-first)*columns, columns)
		}
		line, offset = nil, -1
	}
	s.columns, s.height = columns, height
	s.rows, s.at, s.column = rows, at, column
	s.top = min(max(0, len(rows)-height), at)
}

// lines are the rows as they are to be seen, without blanks at their ends, and without empty ones at the end.
func (s *screen) lines() []string {
	shown := make([]string, len(s.rows))
	for i, line := range s.rows {
		shown[i] = strings.TrimRight(string(line.text), " ")
	}
	for len(shown) > 0 && shown[len(shown)-1] == "" {
		shown = shown[:len(shown)-1]
	}
	return shown
}
