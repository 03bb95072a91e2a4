package workspace_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// contract is what a script's header says.
type contract struct {
	purpose string
	keys    string
	args    []int // declared one by one
	open    int   // from which index on there are any number; 0 if there are not
	returns string
}

var (
	keysLine    = regexp.MustCompile(`(?m)^-- KEYS (.*)$`)
	returnsLine = regexp.MustCompile(`(?m)^-- Returns (.*)$`)
	usedArg     = regexp.MustCompile(`ARGV\[(\d+)\]`)
	usedKey     = regexp.MustCompile(`KEYS\[(\d+)\]`)
)

// Each script opens with its contract, and keeps to it: a caller reads no further.
func TestScriptsKeepTheirContracts(t *testing.T) {
	files, err := filepath.Glob("lua/*.lua")
	others, otherErr := filepath.Glob("../sleigh/lua/*.lua") // they are written by the same rules
	if err != nil || otherErr != nil || len(files) < 15 || len(others) < 4 {
		t.Fatalf("%d and %d scripts found, %v, %v", len(files), len(others), err, otherErr)
	}
	files = append(files, others...)
	for _, file := range files {
		if slices.Contains([]string{"prelude.lua", "claims.lua", "waiting.lua", "jobs.lua", "recent.lua"}, filepath.Base(file)) {
			continue // what all scripts share
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range faults(string(text)) {
				t.Error(fault)
			}
		})
	}
}

// What stands in several places under one name is the same everywhere.
func TestScriptsAgreeOnConstants(t *testing.T) {
	constant := regexp.MustCompile(`(?m)^\s*local ([A-Z][A-Z_]+) = (\d+)`)
	known, several := map[string]string{}, 0
	for _, file := range []string{"prelude", "claims", "waiting", "fast/prelude"} {
		text, err := os.ReadFile("lua/" + file + ".lua")
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range constant.FindAllStringSubmatch(string(text), -1) {
			name, value := m[1], m[2]
			if before, ok := known[name]; ok {
				several++
				if before != value {
					t.Errorf("%s.lua has %s = %s, another one %s", file, name, value, before)
				}
			}
			known[name] = value
		}
	}
	if several < 6 {
		t.Errorf("only %d constants stand in several places", several)
	}
}

func TestContractCheckTellsRightFromWrong(t *testing.T) {
	const group = " and one group: the variable"
	const header = "-- Purpose.\n-- KEYS 1-4" + group + ".\n" +
		"-- ARGV 1 incarnation, 2 variable, 3… values\n-- Returns OK.\n"
	const body = "if gone() then return 'GONE' end\nlocal v = variable(ARGV[2], FIRST)\nstore(v, ARGV, 3, #ARGV)\n"
	for name, c := range map[string]struct {
		text string
		ok   bool
	}{
		"whole":                   {header + body, true},
		"no purpose":              {strings.TrimPrefix(header, "-- Purpose.\n") + body, false},
		"no returns":              {strings.Replace(header, "Returns", "Gives", 1) + body, false},
		"argument not declared":   {strings.Replace(header, ", 3… values", "", 1) + body + "f(ARGV[3])", false},
		"argument not used":       {header + strings.Replace(body, "ARGV[2]", "nil", 1), false},
		"rest not used":           {header + strings.Replace(body, "#ARGV", "3", 1), false},
		"rest not declared":       {strings.Replace(header, "3… values", "3 value", 1) + body, false},
		"key not declared":        {strings.Replace(header, group, "", 1) + body + "f(KEYS[5])", false},
		"group not used":          {header + strings.Replace(body, "variable(", "f(", 1), false},
		"group not declared":      {strings.Replace(header, group, "", 1) + body + "look(v)", false},
		"a number is missing":     {strings.Replace(header, "2 variable", "variable", 1) + body, false},
		"not at the beginning":    {"local x\n" + header + body, false},
		"a comment in the middle": {header + body + "-- ARGV[9] is not used\n", true},
	} {
		if found := faults(c.text); (len(found) == 0) != c.ok {
			t.Errorf("%s: found %q", name, found)
		}
	}
}

// faults says where a script and its header differ.
func faults(text string) []string {
	var found []string
	header, body := split(text)
	c, missing := read(header)
	if missing != "" {
		return []string{missing}
	}
	used := indexes(usedArg, body)
	if strings.Contains(body, "gone()") { // in the prelude
		used = append(used, 1)
	}
	if strings.Contains(body, "refused()") {
		used = append(used, 1, 2)
	}
	for _, i := range used {
		if !slices.Contains(c.args, i) && (c.open == 0 || i < c.open) {
			found = append(found, "ARGV "+strconv.Itoa(i)+" is used and not declared")
		}
	}
	for _, i := range c.args {
		if !slices.Contains(used, i) {
			found = append(found, "ARGV "+strconv.Itoa(i)+" is declared and not used")
		}
	}
	if (c.open > 0) != strings.Contains(body, "#ARGV") {
		found = append(found, "the end of ARGV is declared otherwise than used")
	}
	return append(found, keyFaults(c, body)...)
}

// The prelude takes KEYS 1-4; what follows is read by variable(…, FIRST) and given to functions of the prelude as a group.
func keyFaults(c contract, body string) []string {
	var found []string
	groups := strings.Contains(c.keys, "group")
	if touches := regexp.MustCompile(`variable\([^\n]*\bFIRST\b`).MatchString(body); groups && !touches {
		found = append(found, "a group of keys is declared and not used")
	}
	passedOn := regexp.MustCompile(`\b(look|serve|store|take|take_some|peek|read|wait|unwait|give_back|put_back|handed_to)\(`)
	if !groups && passedOn.MatchString(body) {
		found = append(found, "a group of keys is used and not declared")
	}
	for _, i := range indexes(usedKey, body) {
		if !strings.HasPrefix(c.keys, strconv.Itoa(i)+" ") {
			found = append(found, "KEYS "+strconv.Itoa(i)+" is used and not declared")
		}
	}
	return found
}

func split(text string) (header, body string) {
	var code strings.Builder
	inHeader := true
	for line := range strings.Lines(text) {
		if inHeader && strings.HasPrefix(line, "--") {
			header += line
			continue
		}
		inHeader = false
		before, _, _ := strings.Cut(line, "--")
		code.WriteString(before)
		code.WriteString("\n")
	}
	return header, code.String()
}

func read(header string) (c contract, missing string) {
	keys, returns := keysLine.FindStringSubmatch(header), returnsLine.FindStringSubmatch(header)
	purpose, _, _ := strings.Cut(header, "\n-- KEYS ")
	switch {
	case keys == nil || purpose == "" || strings.HasPrefix(header, "-- KEYS"):
		return c, "the header does not say its purpose and then its KEYS"
	case returns == nil:
		return c, "the header does not say what is returned"
	}
	c.purpose, c.keys, c.returns = purpose, keys[1], returns[1]
	_, args, found := strings.Cut(header, "-- ARGV ")
	if !found {
		return c, ""
	}
	args, _, _ = strings.Cut(args, "-- Returns")
	args = " " + regexp.MustCompile(`\n--\s+`).ReplaceAllString(args, " ")
	for i := 1; ; i++ { // the numbers come in their order, each before its name
		at := regexp.MustCompile(` ` + strconv.Itoa(i) + `(…)? `).FindStringSubmatchIndex(args)
		if at == nil {
			break
		}
		if at[2] >= 0 {
			c.open = i
			break
		}
		c.args = append(c.args, i)
		args = args[at[1]-1:]
	}
	return c, ""
}

func indexes(pattern *regexp.Regexp, text string) []int {
	var all []int
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		i, _ := strconv.Atoi(m[1])
		all = append(all, i)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
