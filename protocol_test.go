package netspaces_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

const protocolFile = "docs/protocol.md"

var update = flag.Bool("update", false, "write the parts of docs/protocol.md that are copies of the code")

// sharedScripts stand before the others.
var sharedScripts = []string{"prelude", "claims", "waiting"}

// The parts of the protocol between markers are copies of what the code says.
func TestProtocolCopies(t *testing.T) {
	doc := readFile(t, protocolFile)
	for name, copied := range map[string]string{
		"keys":    keyTable(t),
		"claims":  headOf(t, "claims"),
		"waiters": headOf(t, "waiting"),
		"scripts": heads(t),
	} {
		begin, end := "<!-- "+name+" -->\n", "<!-- end -->"
		before, rest, found := strings.Cut(doc, begin)
		there, after, ended := strings.Cut(rest, end)
		if !found || !ended {
			t.Fatalf("there is no part %q", name)
		}
		want := "\n" + copied + "\n"
		if there != want && !*update {
			t.Errorf("%q differs from the code, which says:\n%s\nWrite it there with: go test -run ProtocolCopies . -update",
				name, want)
		}
		doc = before + begin + want + end + after
	}
	if *update {
		if err := os.WriteFile(protocolFile, []byte(doc), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func keyTable(t *testing.T) string {
	t.Helper()
	_, table, found := strings.Cut(readFile(t, "workspace/keys.go"), "//\tkey ")
	table, _, ended := strings.Cut(table, "\nconst (")
	if !found || !ended {
		t.Fatal("keys.go has no table of keys")
	}
	table, rest, _ := strings.Cut(table, "\n//\n")
	table = "key " + strings.ReplaceAll(table, "\n//\t", "\n")
	rest = strings.TrimSpace(strings.ReplaceAll("\n"+rest, "\n// ", "\n"))
	return "```text\n" + table + "\n```\n\n" + rest + "\n"
}

// heads are those of all scripts, in the order of their names.
func heads(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for name := range scripts(t) {
		if !slices.Contains(sharedScripts, name) {
			fmt.Fprintf(&all, "### %s.lua\n\n%s\n", name, headOf(t, name))
		}
	}
	return strings.TrimSuffix(all.String(), "\n")
}

// headOf is the comment that a script begins with.
func headOf(t *testing.T, name string) string {
	t.Helper()
	var head strings.Builder
	for line := range strings.Lines(readFile(t, "workspace/lua/"+name+".lua")) {
		if !strings.HasPrefix(line, "--") {
			break
		}
		head.WriteString(strings.TrimPrefix(strings.TrimPrefix(line, "--"), " "))
	}
	return "```text\n" + head.String() + "```\n"
}

// scripts are all there are, in the order of their names.
func scripts(t *testing.T) func(yield func(name, text string) bool) {
	t.Helper()
	files, err := filepath.Glob("workspace/lua/*.lua")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d scripts found, %v", len(files), err)
	}
	return func(yield func(name, text string) bool) {
		for _, file := range files {
			if !yield(strings.TrimSuffix(filepath.Base(file), ".lua"), readFile(t, file)) {
				return
			}
		}
	}
}

func readFile(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// table gives the rows of the table in the protocol that begins with this header, each cell without its quotes.
func table(t *testing.T, header string) [][]string {
	t.Helper()
	_, rest, found := strings.Cut(readFile(t, protocolFile), "\n"+header+"\n")
	if !found {
		t.Fatalf("there is no table %q", header)
	}
	var rows [][]string
	for line := range strings.Lines(rest) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			break
		}
		if strings.HasPrefix(line, "| ---") {
			continue
		}
		var row []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|"), " | ") {
			row = append(row, strings.TrimSpace(cell))
		}
		rows = append(rows, row)
	}
	return rows
}

// quoted are the texts in backquotes.
func quoted(text string) []string {
	var all []string
	for _, m := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// wantSame compares what the protocol and the code have, as sets.
func wantSame(t *testing.T, what string, documented, used map[string]bool) {
	t.Helper()
	for name := range maps.Keys(used) {
		if !documented[name] {
			t.Errorf("%s %s is in the code and not in the protocol", what, name)
		}
	}
	for name := range maps.Keys(documented) {
		if !used[name] {
			t.Errorf("%s %s is in the protocol and not in the code", what, name)
		}
	}
}

func TestProtocolWords(t *testing.T) {
	documented, used := map[string]bool{}, map[string]bool{}
	for _, row := range table(t, "| word | means |") {
		for _, word := range quoted(row[0]) {
			documented[word] = true
		}
	}
	for _, text := range scripts(t) {
		for _, m := range regexp.MustCompile(`\{ '([A-Z]+)'`).FindAllStringSubmatch(text, -1) {
			used[m[1]] = true
		}
		for _, m := range regexp.MustCompile(`return \{ word and '([A-Z]+)' or '([A-Z]+)'`).FindAllStringSubmatch(text, -1) {
			used[m[1]], used[m[2]] = true, true
		}
	}
	wantSame(t, "word", documented, used)
}

func TestProtocolFields(t *testing.T) {
	documented, used := map[string]bool{}, map[string]bool{}
	for _, row := range table(t, "| field | holds |") {
		for _, field := range quoted(row[0]) {
			documented[field] = true
		}
	}
	command := regexp.MustCompile(`'H[A-Z]+', (?:HOME|space)\.workspace, ([^()]*)`)
	for _, text := range scripts(t) {
		for _, m := range command.FindAllStringSubmatch(strings.ReplaceAll(text, "\n", " "), -1) {
			for _, field := range regexp.MustCompile(`'([a-z]+)'`).FindAllStringSubmatch(m[1], -1) {
				used[field[1]] = true
			}
		}
	}
	wantSame(t, "field", documented, used)
}

func TestProtocolConstants(t *testing.T) {
	documented, used := map[string]bool{}, map[string]bool{}
	for _, row := range table(t, "| name | value | in | what |") {
		name, value, file := quoted(row[0])[0], quoted(row[1])[0], quoted(row[2])[0]
		pattern := regexp.MustCompile(`(?m)^\s*(local |const )?` + name + `\s*= ` + regexp.QuoteMeta(value) + `(\s|$)`)
		if !pattern.MatchString(readFile(t, "workspace/"+file)) {
			t.Errorf("%s is not %s in %s", name, value, file)
		}
		if strings.HasSuffix(file, ".lua") {
			documented[name+" in "+file] = true
		}
	}
	for name, text := range scripts(t) {
		for _, m := range regexp.MustCompile(`(?m)^\s*local ([A-Z_]+)\s*= \d`).FindAllStringSubmatch(text, -1) {
			used[m[1]+" in lua/"+name+".lua"] = true
		}
	}
	wantSame(t, "constant", documented, used)

	version := regexp.MustCompile(`(?m)^local VERSION = '(.*?)'`).FindStringSubmatch(readFile(t, "workspace/lua/prelude.lua"))
	if version == nil || !strings.Contains(readFile(t, protocolFile), "This is version `"+version[1]+"`.") {
		t.Errorf("the scripts are of version %q", version)
	}
}

// The common cases of scripts, which have none of the constants of the others, have the same numbers.
func TestFastScriptsHaveTheSameNumbers(t *testing.T) {
	waiting, claims := readFile(t, "workspace/lua/waiting.lua"), readFile(t, "workspace/lua/claims.lua")
	constant := func(text, name string) string {
		t.Helper()
		found := regexp.MustCompile(`local ` + name + ` = (\d+)`).FindStringSubmatch(text)
		if found == nil {
			t.Fatalf("there is no %s", name)
		}
		return found[1]
	}
	live := "> now - " + constant(waiting, "LIVE_MS")
	for file, wants := range map[string][]string{
		"fetch": {live},
		"store": {live, "now + " + constant(waiting, "GRACE_MS"), "score < " + constant(claims, "FIRST_TIME")},
	} {
		text := readFile(t, "workspace/lua/fast/"+file+".lua")
		for _, want := range wants {
			if !regexp.MustCompile(regexp.QuoteMeta(want) + `\b`).MatchString(text) {
				t.Errorf("fast/%s.lua does not have: %s", file, want)
			}
		}
	}
}

func TestProtocolNames(t *testing.T) {
	rdb, err := redisx.Open(t.Context(), "mem://", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	names := table(t, "| name | *W* |")
	for _, row := range names {
		name, key := quoted(row[0])[0], quoted(row[1])[0]
		ws, err := workspace.Open(t.Context(), rdb, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer ws.Close()
		if n, err := rdb.Redis().Exists(t.Context(), key+":ws").Result(); n != 1 || err != nil {
			t.Errorf("the keys of %q do not begin with %s: %v", name, key, err)
		}
	}
	if len(names) < 3 {
		t.Errorf("%d names", len(names))
	}
	for _, name := range []string{"", "/a", strings.Repeat("n", 201), "a{", "a}", "a:b", "a\n"} {
		if _, err := workspace.Open(t.Context(), rdb, name, nil); !errors.Is(err, workspace.ErrName) {
			t.Errorf("%q: %v, want ErrName", name, err)
		}
	}
}

// The order of the parts of a script is that of the shell commands in docs/redis-cli.md, which are tested.
func TestProtocolOrder(t *testing.T) {
	text := "`prelude.lua`, `claims.lua`, `waiting.lua` and the script"
	if !strings.Contains(readFile(t, protocolFile), text) {
		t.Errorf("the protocol does not say: %s", text)
	}
	text = `shared = []string{"prelude", "claims", "waiting"}`
	if !strings.Contains(readFile(t, "workspace/scripts.go"), text) {
		t.Errorf("the scripts are put together otherwise than by %s", text)
	}
	var alone []string
	for name, text := range scripts(t) {
		if strings.Contains(text, "-- KEYS 1 ") && !slices.Contains(sharedScripts, name) {
			alone = append(alone, name)
		}
	}
	if got := strings.Join(alone, " "); got != "ended plain register unregister" {
		t.Errorf("by themselves stand %s", got)
	}
}
