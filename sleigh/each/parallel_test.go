package each_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/each"
)

// parallel runs GNU parallel, with items on its standard input.
func parallel(t *testing.T, items []string, args ...string) (stdout, stderr string) {
	t.Helper()
	need(t, "parallel")
	cmd := exec.CommandContext(testContext(t), "parallel", append([]string{"--will-cite", "-0", "-j2"}, args...)...)
	cmd.Stdin = strings.NewReader(strings.Join(items, "\x00") + "\x00")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // its exit code is the number of commands that failed
	return out.String(), errs.String()
}

var odd = []string{
	"a", "a b", "/a/b.c/d.e.f", "g.", ".h", "x/", "/", "a//b", "it's", "ä", "\xff", "", "a=b", "~x", "a{b}", "%", "^", "a,b:c@d_+-./", "#c", "!", "$x", "`y`",
	"*", "?", `back\slash`, `"q"`, "t\tt", "''", "'", "a|b&c;d", "<>", "//x//y", "./a", "../b.c", "-n", "--",
}

// The placeholders, and how commands are quoted.
func TestCommandsAreParallels(t *testing.T) {
	want, _ := parallel(t, odd, "-k", "--dry-run", "echo", "{}", "x{#}y{}z{}", "{.}", "{/}", "{//}", "{/.}")
	var got bytes.Buffer
	c := each.Command{Args: []string{"echo", "{}", "x{#}y{}z{}", "{.}", "{/}", "{//}", "{/.}"}}
	if _, err := each.Run(t.Context(), nil, each.Items(odd...), c, &each.Options{DryRun: true, Stdout: &got}); err != nil {
		t.Fatal(err)
	}
	gots, wants := strings.Split(got.String(), "\n"), strings.Split(want, "\n")
	for i := range max(len(gots), len(wants)) {
		if i >= len(gots) || i >= len(wants) || words(t, gots[i]) != words(t, wants[i]) {
			t.Errorf("command %d differs:\n%q\n%q", i+1, gots[i:min(i+1, len(gots))], wants[i:min(i+1, len(wants))])
		}
	}
}

// words is what a shell makes of a command: GNU parallel quotes what is around a placeholder and what comes for it by themselves.
func words(t *testing.T, command string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", `printf '%s\n' `+command).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// What is written, byte by byte.
func TestOutputIsParallels(t *testing.T) {
	s := start(t, sleigh.InProcess(2))
	for name, c := range map[string]struct {
		args    []string
		options each.Options
		flags   []string
	}{
		"plain":      {[]string{"echo"}, each.Options{}, nil},
		"no newline": {[]string{"printf", "%s"}, each.Options{}, nil},
		"tag":        {[]string{"echo"}, each.Options{Tag: true}, []string{"--tag"}},
		"tag end":    {[]string{"printf", `a\n\n%s`}, each.Options{Tag: true}, []string{"--tag"}},
		"tag none":   {[]string{"true"}, each.Options{Tag: true}, []string{"--tag"}},
		"stderr":     {[]string{"sh", "-c", "echo $1; echo e$1 >&2; printf x >&2", "sh"}, each.Options{Tag: true}, []string{"--tag"}},
		"binary":     {[]string{"printf", `\377\000\001\n\303%s`}, each.Options{}, nil},
		"fails":      {[]string{"sh", "-c", "echo $1; exit 3", "sh"}, each.Options{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			items := []string{"a", "b c", "", "d", "1", "\xff"}
			c.options.KeepOrder = true
			got, _ := run(t, s, each.Command{Args: c.args}, c.options, items...)
			stdout, stderr := parallel(t, items, slices.Concat([]string{"-k", "-q"}, c.flags, c.args)...)
			if got.stdout.String() != stdout || got.stderr.String() != stderr {
				t.Errorf("it is\n%q\n%q\nand of parallel\n%q\n%q", &got.stdout, &got.stderr, stdout, stderr)
			}
		})
	}
}

// The files of --results.
func TestResultsAreParallels(t *testing.T) {
	s := start(t, sleigh.InProcess(2))
	items := slices.DeleteFunc(slices.Clone(odd), func(item string) bool { return item == "" })
	ours, theirs := filepath.Join(t.TempDir(), "ours"), filepath.Join(t.TempDir(), "theirs")
	got, _ := run(t, s, sh(`echo "$1"; echo "e$1" >&2`), each.Options{Results: ours, KeepOrder: true}, items...)
	stdout, stderr := parallel(t, items, "-k", "-q", "--results", theirs, "sh", "-c", `echo "$1"; echo "e$1" >&2`, "sh", "{}")
	if got.stdout.String() != stdout || got.stderr.String() != stderr {
		t.Errorf("with files, it is\n%q\n%q\nand of parallel\n%q\n%q", &got.stdout, &got.stderr, stdout, stderr)
	}
	if got, want := tree(t, ours), tree(t, theirs); !slices.Equal(got, want) || len(got) != 3*len(items) {
		t.Errorf("there are\n%q\nand of parallel\n%q", got, want)
	}
}

// tree is what a directory has.
func tree(t *testing.T, directory string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(directory, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files = append(files, fmt.Sprintf("%s: %q", strings.TrimPrefix(path, directory), text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// The joblog has the same columns, but for times and the host.
func TestJoblogIsParallels(t *testing.T) {
	s := start(t, sleigh.InProcess(2))
	directory := t.TempDir()
	ours, theirs := filepath.Join(directory, "ours"), filepath.Join(directory, "theirs")
	items := []string{"0", "1", "7", "kill -9 $$", "kill -TERM $$", "a b", "echo x; echo y >&2", "no-such-program-42", "true\n", "\xff"}
	c := each.Command{Args: []string{"sh", "-c", "{}"}}
	run(t, s, c, each.Options{Joblog: ours, KeepOrder: true}, items...)
	parallel(t, items, "-k", "--joblog", theirs, "-q", "sh", "-c", "{}")
	got, want := logLines(t, ours), logLines(t, theirs)
	slices.SortFunc(want, func(a, b string) int { return seqOf(a) - seqOf(b) })
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Errorf("line %d is\n%q\nand of parallel\n%q", i+1, got[i:min(i+1, len(got))], want[i:min(i+1, len(want))])
		}
	}

	// Either goes on where the other was.
	truncate(t, theirs, 5)
	p, sum := run(t, s, c, each.Options{Joblog: theirs, Resume: true, KeepOrder: true}, items...)
	if sum.Skipped+sum.Done != len(items) || sum.Skipped != 4 {
		t.Errorf("%+v, %q", sum, &p.stdout)
	}
	truncate(t, ours, 7)
	stdout, stderr := parallel(t, items, "-k", "--resume", "--joblog", ours, "-q", "sh", "-c", "{}")
	if stdout != "x\n" || !strings.Contains(stderr, "y\n") || len(logLines(t, ours)) != len(items)+1 {
		t.Errorf("parallel goes on with %q, %q, %q", stdout, stderr, logLines(t, ours))
	}
}

// truncate leaves some lines of a file.
func truncate(t *testing.T, file string, lines int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Join(strings.SplitAfter(string(text), "\n")[:lines], "")), 0o600); err != nil {
		t.Fatal(err)
	}
}

var logLine = regexp.MustCompile(`^(\d+)\t(\S+)\t(\d{10}\.\d{3})\t( *\d+\.\d{3})(\t0\t.*)$`)

// logLines are the lines of a joblog, without host and times.
func logLines(t *testing.T, file string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		match := logLine.FindStringSubmatch(line)
		switch {
		case i == 0:
			lines = append(lines, line)
		case match == nil || len(match[4]) != 10:
			t.Errorf("%s has %q", file, line)
		default:
			lines = append(lines, match[1]+match[5])
		}
	}
	return lines
}

func seqOf(line string) int {
	number, _, _ := strings.Cut(line, "\t")
	n, err := strconv.Atoi(number)
	if err != nil {
		return 0 // the header
	}
	return n
}
