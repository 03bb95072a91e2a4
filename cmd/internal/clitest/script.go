// Package clitest is for tests of commands: what their scripts need besides testscript, a terminal to run them in, and pages of
// the documentation that are run.
package clitest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Command is one of a script; neg is that it has a ! before it.
type Command = func(ts *testscript.TestScript, neg bool, args []string)

// Commands are those that scripts have besides testscript's own:
//
//	exits CODE PROGRAM [ARG...]    runs a program, which must end with this exit code, as a shell has it
//	until REGEXP PROGRAM [ARG...]  runs a program again and again until its stdout matches
//	await REGEXP FILE              waits until a file matches
//	jsonlines COUNT                stdout has that many lines, each of them JSON
//	json LINE PATH VALUE           in that line of stdout, from 1, the JSON at PATH equals VALUE, which is JSON too; a PATH is like
//	                               a.b.0 or a.len, which is how many there are, and . is all
//	seq FROM TO FILE               writes numbers into a file
//	needs PROGRAM                  skips the script where a program is missing, which CI must not do
//
// Where SECRET is in the environment of a script, no program that is run by exits may print it. Prepare must be called for each
// script.
func Commands() map[string]Command {
	return map[string]Command{
		"exits":     exits,
		"until":     until,
		"await":     await,
		"jsonlines": jsonLines,
		"json":      jsonAt,
		"seq":       seq,
		"needs":     needs,
	}
}

type testKey struct{}

// Prepare prepares the environment of a script.
func Prepare(env *testscript.Env) {
	env.Setenv("GORACE", "atexit_sleep_ms=10") // what is under the race detector would end a second late
	env.Values[testKey{}] = env.T().(testing.TB)
	env.Values[begunKey{}] = map[string]*begun{}
}

// Test is the test of a script.
func Test(ts *testscript.TestScript) testing.TB { return ts.Value(testKey{}).(testing.TB) }

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	err = ts.Exec(args[1], args[2:]...)
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exitCode(failed.ProcessState)
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

// exitCode is as a shell has it: 128 and the signal, if one has ended the program.
func exitCode(state *os.ProcessState) int {
	if status := state.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until REGEXP PROGRAM [ARG...]")
	}
	wanted, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	eventually(ts, "stdout matches "+args[0], func() bool {
		err := ts.Exec(args[1], args[2:]...)
		return err == nil && wanted.MatchString(ts.ReadFile("stdout"))
	})
}

func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await REGEXP FILE")
	}
	wanted, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	path := ts.MkAbs(args[1])
	eventually(ts, args[1]+" matches "+args[0], func() bool {
		text, _ := os.ReadFile(path)
		return wanted.Match(text)
	})
}

func eventually(ts *testscript.TestScript, what string, ok func() bool) {
	for deadline := time.Now().Add(Patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("not in %v: %s", Patience, what)
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
		inner, ok := under(at, key)
		if !ok {
			ts.Fatalf("line %d has no %s: %s", n, args[1], all[n-1])
		}
		at = inner
	}
	if !reflect.DeepEqual(at, want) {
		ts.Fatalf("line %d: %s is %v, want %v", n, args[1], at, want)
	}
}

// under is what JSON has under a key.
func under(at any, key string) (inner any, ok bool) {
	switch at := at.(type) {
	case map[string]any:
		inner, ok = at[key]
	case []any:
		if key == "len" {
			return float64(len(at)), true
		}
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(at) {
			return at[i], true
		}
	}
	return inner, ok
}

func seq(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: seq FROM TO FILE")
	}
	from, err := strconv.Atoi(args[0])
	ts.Check(err)
	to, err := strconv.Atoi(args[1])
	ts.Check(err)
	var text bytes.Buffer
	for n := from; n <= to; n++ {
		fmt.Fprintln(&text, n)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), text.Bytes(), 0o666))
}

func needs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: needs PROGRAM")
	}
	if _, err := exec.LookPath(args[0]); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		ts.Fatalf("no %s on PATH", args[0])
	}
	Test(ts).Skipf("no %s on PATH", args[0])
}
