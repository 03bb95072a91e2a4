package each

import (
	"slices"
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	for _, c := range []struct {
		args, item, want string
		pipe             bool
	}{
		{"echo", "a", "echo|a", false},
		{"echo", "a", "echo", true},
		{"echo {}", "a", "echo|a", false},
		{"{} x{}y{}z", "a b", "a b|xa by" + "a bz", false},
		{"echo {#}:{}", "a", "echo|7:a", true},
		{"echo {.} {/} {//} {/.}", "/d.x/f.tar.gz", "echo|/d.x/f.tar|f.tar.gz|/d.x|f.tar", false},
		{"echo {} {.}", "{#}", "echo|{#}|{#}", false}, // what comes from the item stays
		{"awk {print} {{} {x} {} }{", "f", "awk|{print}|{f|{x}|f|}{", false},
		{"echo {print", "f", "echo|{print|f", false},
		{"{.}", "a.b/c", "a.b/c", false},
		{"{.} {/.}", ".h", "|", false},
		{"{.}", "g.", "g", false},
		{"{/} {//}", "x/", "|.", false},
		{"{/} {//}", "/", "|/", false},
		{"{//}", "//a", "/", false},
		{"{//}", "a//b//", "a", false},
		{"{//}", "", ".", false},
		{"{}", "\xff\x00", "\xff\x00", false},
	} {
		got := strings.Join(expand(texts(strings.Split(c.args, " ")), c.item, 7, c.pipe), "|")
		if got != c.want {
			t.Errorf("%q with %q: %q, want %q", c.args, c.item, got, c.want)
		}
	}
}

func TestFolder(t *testing.T) {
	long := strings.Repeat("x", 500)
	names := map[string]string{
		"a b": "a b", "a/b": `a\_b`, `a\b`: `a\\b`, "t\tn\x00": `t\tn\0`, "": `\`, ".": `\.`, "..": `\..`, "\n": "\n", "\xff": "\xff",
		long: long[:240] + `\/` + long[:240] + `\/` + long[:20], long[:240] + "..": long[:240] + `\/\..`, long[:240]: long[:240],
	}
	var seen []string
	for item, want := range names {
		got := folder(item)
		if got != want || slices.Contains(seen, got) {
			t.Errorf("%q: %q, want %q", item, got, want)
		}
		seen = append(seen, got)
	}
}

func TestTagged(t *testing.T) {
	for output, want := range map[string]string{
		"": "", "\n": "T\t\n", "a": "T\ta", "a\nb": "T\ta\nT\tb", "a\n\nb\n": "T\ta\nT\t\nT\tb\n",
	} {
		if got := string(tagged("T", []byte(output))); got != want {
			t.Errorf("%q: %q, want %q", output, got, want)
		}
	}
}
