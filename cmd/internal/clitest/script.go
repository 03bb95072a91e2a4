// Package clitest is for tests of commands: what their scripts need besides testscript, a terminal to run them in, and pages of
// the documentation that are run.
package clitest

import (
	"encoding/json"
	"errors"
	"os/exec"
	"reflect"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// Commands are those that scripts have besides testscript's own:
//
//	exits CODE PROGRAM [ARG...]  runs a program, which must end with this exit code
//	jsonlines COUNT              stdout has that many lines, each of them JSON
//	json LINE PATH VALUE         in that line of stdout, from 1, the JSON at PATH (a.b.0; . is all) equals VALUE, which is JSON too
//
// Where SECRET is in the environment of a script, no program that is run by exits may print it.
func Commands() map[string]func(ts *testscript.TestScript, neg bool, args []string) {
	return map[string]func(ts *testscript.TestScript, neg bool, args []string){
		"exits":     exits,
		"jsonlines": jsonLines,
		"json":      jsonAt,
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	err = ts.Exec(args[1], args[2:]...)
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		code = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
	if secret := ts.Getenv("SECRET"); secret != "" {
		for _, out := range []string{"stdout", "stderr"} {
			if strings.Contains(ts.ReadFile(out), secret) {
				ts.Fatalf("%s has the password", out)
			}
		}
	}
}

func jsonLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: jsonlines COUNT")
	}
	lines := lines(ts)
	if want, err := strconv.Atoi(args[0]); err != nil || len(lines) != want {
		ts.Fatalf("%d lines, want %s", len(lines), args[0])
	}
	for i, line := range lines {
		if !json.Valid([]byte(line)) {
			ts.Fatalf("line %d is no JSON: %s", i+1, line)
		}
	}
}

func lines(ts *testscript.TestScript) []string {
	text := ts.ReadFile("stdout")
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

func jsonAt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: json LINE PATH VALUE")
	}
	all := lines(ts)
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 || n > len(all) {
		ts.Fatalf("there is no line %s in %d", args[0], len(all))
	}
	var at, want any
	ts.Check(json.Unmarshal([]byte(all[n-1]), &at))
	ts.Check(json.Unmarshal([]byte(args[2]), &want))
	for _, key := range strings.FieldsFunc(args[1], func(r rune) bool { return r == '.' }) {
		switch inner := at.(type) {
		case map[string]any:
			there := false
			if at, there = inner[key]; !there {
				ts.Fatalf("line %d has no %s: %s", n, args[1], all[n-1])
			}
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(inner) {
				ts.Fatalf("line %d has no %s: %s", n, args[1], all[n-1])
			}
			at = inner[i]
		default:
			ts.Fatalf("line %d has no %s: %s", n, args[1], all[n-1])
		}
	}
	if !reflect.DeepEqual(at, want) {
		ts.Fatalf("line %d: %s is %v, want %v", n, args[1], at, want)
	}
}
