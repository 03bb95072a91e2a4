package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func TestRedact(t *testing.T) {
	for text, want := range map[string]string{
		"redis://:pw@h:1/0":                     "redis://***@h:1/0",
		"at rediss://u:p@w/d@h, and so on":      "at rediss://***@h, and so on",
		"redis+cluster://u:p@a:1,b:2":           "redis+cluster://***@a:1,b:2",
		"redis://h:1/0":                         "redis://h:1/0",
		"mail to ada@h":                         "mail to ada@h",
		"two: redis://:a@h redis://:b@g":        "two: redis://***@h redis://***@g",
		"x://h/m?sentinel_password=a%20b&db=1":  "x://h/m?sentinel_password=***&db=1",
		`"redis://:pw@h": it cannot be opened.`: `"redis://***@h": it cannot be opened.`,

		// What an address may look like stays.
		"redis://[[user]:password@]host[:port]": "redis://[[user]:password@]host[:port]",
		"put it there: redis://:PASSWORD@h:p":   "put it there: redis://:PASSWORD@h:p",
		"?sentinel_password=, or another user":  "?sentinel_password=, or another user",
		"redis://:PASSWORD@x@h":                 "redis://***@h",
		"redis://:password@h":                   "redis://***@h",
	} {
		if got := redact(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"plain text, ä and 漢":    "plain text, ä and 漢",
		"\x1b[31mred":            `\x1b[31mred`,
		"a\nb\tc":                `a\nb\tc`,
		"no text: \xff":          "no text: \ufffd",
		"other way: \u202eabc":   `other way: \u202eabc`,
		"beep \a and \u009b31m ": `beep \a and \u009b31m `,
	} {
		if got := Visible(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "1m30s": 90 * time.Second, "5": 5 * time.Second, "0.5": time.Second / 2, ".5": time.Second / 2, "0": 0,
		"-1": -1, "-1s": -1, "soon": -1, "": -1, "5 s": -1, "s": -1,
	} {
		var d duration
		err := d.Set(text)
		if (err != nil) != (want < 0) || err == nil && time.Duration(d) != want {
			t.Errorf("%q: got %v, %v, want %v", text, time.Duration(d), err, want)
		}
	}
}

func TestArgs(t *testing.T) {
	for _, test := range []struct {
		use, args, want string
	}{
		{"x", "", ""},
		{"x", "a", `too many arguments: "a"`},
		{"x A [B]", "", "A is missing"},
		{"x A [B]", "a", ""},
		{"x A [B]", "a b", ""},
		{"x A [B]", "a b c d", `too many arguments: "c"`},
		{"x A B [C...|-]", "", "A and B are missing"},
		{"x A B [C...|-]", "a", "B is missing"},
		{"x A B [C...|-]", "a b", ""},
		{"x A B [C...|-]", "a b c d e f", ""},
		{"x A...", "", "A... is missing"},
		{"x A...", "a b c", ""},
	} {
		got := ""
		if err := Args(&cobra.Command{Use: test.use}, strings.Fields(test.args)); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s with %q: got %q, want %q", test.use, test.args, got, test.want)
		}
	}
}

func TestTable(t *testing.T) {
	columns := []Column[[2]any]{
		{Title: "NAME", Cell: func(row [2]any) any { return row[0] }},
		{Title: "N", Cell: func(row [2]any) any { return row[1] }},
	}
	rows := [][2]any{{"short", 1}, {"漢字 and more", 1000}}
	for width, want := range map[int]string{
		0:  "NAME              N\nshort             1\n漢字 and more  1000\n",
		12: "NAME       …\nshort      …\n漢字 and mo…\n",
	} {
		if got := Table(&Screen{}, rows, columns, width); got != want {
			t.Errorf("%d columns wide: got\n%swant\n%s", width, got, want)
		}
	}
	if got := Table(&Screen{Color: true}, nil, columns, 80); got != "\x1b[1mNAME  N\x1b[0m\n" {
		t.Errorf("no rows: %q", got)
	}
}
