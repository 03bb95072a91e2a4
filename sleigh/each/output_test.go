package each_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/each"
)

// What an item prints stays together, and any bytes come out as they are.
func TestOutputIsWhole(t *testing.T) {
	s := start(t, sleigh.Local(2))
	p, _ := run(t, s, sh(`for i in 1 2 3 4 5; do echo "$1 $i"; echo "$1 e$i" >&2; done; printf '\377\000\n'`), each.Options{}, "a", "b", "c", "d", "e", "f")
	for _, item := range []string{"a", "b", "c", "d", "e", "f"} {
		out := strings.ReplaceAll("I 1\nI 2\nI 3\nI 4\nI 5\n\xff\x00\n", "I", item)
		if !strings.Contains(p.stdout.String(), out) || !strings.Contains(p.stderr.String(), strings.ReplaceAll("I e1\nI e2\nI e3\nI e4\nI e5\n", "I", item)) {
			t.Errorf("of %s: %q, %q", item, &p.stdout, &p.stderr)
		}
	}
	if p.stdout.Len() != 6*23 || p.stderr.Len() != 6*25 {
		t.Errorf("%d and %d bytes", p.stdout.Len(), p.stderr.Len())
	}
}

// Lines of different items are never mixed, also where the last newline of one is missing; what is no text stays as it is.
func TestLinesAreNotMixed(t *testing.T) {
	s := start(t, sleigh.InProcess(1))
	inOrder := each.Options{KeepOrder: true}
	p, _ := run(t, s, sh(`printf "$1"; printf "e$1" >&2`), inOrder, `a`, ``, `b\n`, `c`, `d\ne`)
	if out, err := p.stdout.String(), p.stderr.String(); out != "a\nb\nc\nd\ne" || err != "ea\ne\neb\nec\ned\ne" {
		t.Errorf("%q, %q", out, err)
	}
	for _, bytes := range []string{`\377`, `x\000`} {
		p, _ = run(t, s, sh(`printf "$1"`), inOrder, bytes, bytes)
		if p.stdout.Len() != 2*len(bytes[:len(bytes)-3]) {
			t.Errorf("%s: %q", bytes, &p.stdout)
		}
	}
	inOrder.Tag = true
	if p, _ = run(t, s, sh(`printf "x$1"`), inOrder, "1", "2"); p.stdout.String() != "1\tx1\n2\tx2" {
		t.Errorf("%q", &p.stdout)
	}
}

// Of what is too much, the beginning stays, and it is said how much is missing.
func TestOutputIsBounded(t *testing.T) {
	s := start(t, sleigh.InProcess(1))
	var result each.Result
	keep := func(r each.Result) error { result = r; return nil }
	p, _ := run(t, s, sh(`head -c 5000 /dev/zero; head -c 300000 /dev/zero >&2`), each.Options{OutputBytes: 1000, OnResult: keep}, "x")
	told := "\n4000 bytes more that it wrote to stdout were dropped\n299000 bytes more that it wrote to stderr were dropped\n"
	if want := strings.Repeat("\x00", 1000); p.stdout.String() != want || sortedLines(p.stderr.String()) != sortedLines(want+told) {
		t.Errorf("%d bytes, %q", p.stdout.Len(), strings.Trim(p.stderr.String(), "\x00"))
	}
	if result.StdoutDropped != 4000 || result.StderrDropped != 299000 || result.Exit != 0 {
		t.Errorf("%+v", result)
	}
	size := 2 << 20
	if os.Getenv("NETSPACES_ALL") == "1" {
		size = 16 << 20 // the most by default, which takes the race detector ten seconds
	}
	p, sum := run(t, s, sh(fmt.Sprintf(`head -c %d /dev/zero | tr '\0' '\377'`, size)), each.Options{}, "x")
	if p.stdout.Len() != size || p.stderr.Len() != 0 || sum.Failed != 0 {
		t.Errorf("%d bytes, %q", p.stdout.Len(), &p.stderr)
	}
}

func sortedLines(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// The item itself is what the command reads.
func TestPipe(t *testing.T) {
	s := start(t, sleigh.InProcess(2))
	cat := each.Command{Args: []string{"cat"}, Pipe: true}
	big := strings.Repeat("\xfe\x00ab", 1<<16)
	p, _ := run(t, s, cat, each.Options{KeepOrder: true}, "no newline", "", "\n", big)
	if want := "no newline\n\n" + big; p.stdout.String() != want {
		t.Errorf("%d bytes, want %d", p.stdout.Len(), len(want))
	}
	p, sum := run(t, s, each.Command{Args: []string{"echo", "{#}"}, Pipe: true}, each.Options{KeepOrder: true}, big, big)
	if p.stdout.String() != "1\n2\n" || sum.Failed != 0 {
		t.Errorf("a command that reads nothing: %q, %+v", &p.stdout, sum)
	}
	p, _ = run(t, s, each.Command{Args: []string{"cat"}}, each.Options{}, "/dev/stdin")
	if p.stdout.Len() != 0 {
		t.Errorf("standard input has %q", &p.stdout)
	}
}

// A writer that fails, such as a pipe that nobody reads, ends the run with its error.
func TestWriterFails(t *testing.T) {
	s := start(t, sleigh.InProcess(2))
	closed := errors.New("nobody reads")
	items := make([]string, 1000)
	sum, err := each.Run(testContext(t), s, each.Items(items...), sh("echo"), &each.Options{Stdout: failing{closed}})
	if !errors.Is(err, closed) || sum.Done != 0 {
		t.Errorf("%+v, %v", sum, err)
	}
	n := 0
	sum, err = each.Run(testContext(t), s, each.Items(items...), sh("echo"), &each.Options{OnResult: func(each.Result) error {
		if n++; n == 3 {
			return closed
		}
		return nil
	}})
	if !errors.Is(err, closed) || sum.Done != 2 {
		t.Errorf("%+v, %v", sum, err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// What cannot be run has the exit code that a shell gives it, and says why and where.
func TestNotRun(t *testing.T) {
	s := start(t, sleigh.InProcess(1))
	directory := t.TempDir()
	plain := filepath.Join(directory, "plain")
	if err := os.WriteFile(plain, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		item string
		exit int
		says string
	}{
		"none":       {[]string{"no-such-program-42"}, "x", 127, "no-such-program-42: not run on " + host + ": there is no such program on the worker's PATH"},
		"no file":    {[]string{directory + "/none"}, "x", 127, "there is no such program"},
		"not for it": {[]string{plain}, "x", 126, "permission denied"},
		"folder":     {[]string{directory}, "x", 126, ""},
		"empty":      {[]string{"{}"}, "", 127, "there is no such program"},
		"too long":   {[]string{"echo"}, strings.Repeat("x", 1<<20), 126, "longer than the system takes"},
		"NUL":        {[]string{"echo"}, "a\x00b", 126, "invalid argument"},
		"exit":       {[]string{"sh", "-c", "exit 7"}, "x", 7, ""},
		"fine":       {[]string{"echo"}, strings.Repeat("x", 100<<10), 0, ""},
	} {
		var r each.Result
		p, sum := run(t, s, each.Command{Args: c.args}, each.Options{OnResult: func(got each.Result) error { r = got; return nil }}, c.item)
		if r.Exit != c.exit || r.Signal != 0 || r.ExitCode() != c.exit || !strings.Contains(p.stderr.String(), c.says) || (sum.Failed == 1) != (c.exit != 0) {
			t.Errorf("%s: %d, %q, %+v", name, r.Exit, &p.stderr, sum)
		}
		if len(p.stderr.String()) > 1000 || r.Host != host || (r.Error != "") != (c.exit > 100) {
			t.Errorf("%s: on %s: %.100s; %.1000q", name, r.Host, r.Error, &p.stderr)
		}
	}
}

// A command has the worker's environment, but for what only the worker is to know.
func TestEnvironment(t *testing.T) {
	t.Setenv("REDIS_URL", "redis://:secret@nowhere")
	t.Setenv("NETSPACES_TEST", "secret")
	t.Setenv("EACH_TEST_KEPT", "kept")
	s := start(t, sleigh.InProcess(1))
	p, _ := run(t, s, sh("env"), each.Options{}, "x")
	env := p.stdout.String()
	if strings.Contains(env, "secret") || strings.Contains(env, "NETSPACES") || strings.Contains(env, "REDIS") {
		t.Error("the environment tells what it should not")
	}
	for _, variable := range []string{"EACH_TEST_KEPT=kept", "SLEIGH_SEQ=1", "SLEIGH_RANK=0", "PATH=" + os.Getenv("PATH")} {
		if !strings.Contains("\n"+env, "\n"+variable+"\n") {
			t.Errorf("no %s in %q", variable, env)
		}
	}
}

// A command that fails runs again, and the result is that of the last time.
func TestRetries(t *testing.T) {
	s := start(t, sleigh.InProcess(1))
	file := filepath.Join(t.TempDir(), "runs")
	var r each.Result
	o := each.Options{Retries: 3, OnResult: func(got each.Result) error { r = got; return nil }}
	twice := sh(fmt.Sprintf(`echo x >>%s; wc -l <%[1]s | tr -d ' '; [ $(wc -l <%[1]s) -ge $1 ]`, file))
	if p, sum := run(t, s, twice, o, "3"); p.stdout.String() != "3\n" || sum.Failed != 0 || sum.Done != 1 || r.Runs != 3 {
		t.Errorf("%q, %+v, %d runs", &p.stdout, sum, r.Runs)
	}
	if p, sum := run(t, s, twice, o, "100"); p.stdout.String() != "6\n" || sum.Failed != 1 || r.Runs != 3 || r.Exit != 1 {
		t.Errorf("%q, %+v, %d runs", &p.stdout, sum, r.Runs)
	}
}

// A run tells how far it is, and at the end that all is done.
func TestProgress(t *testing.T) {
	s := start(t, sleigh.InProcess(2))
	var all []each.Progress
	run(t, s, sh("exit $1"), each.Options{Progress: func(p each.Progress) { all = append(all, p) }}, "0", "1", "0", "1", "0")
	if len(all) == 0 || slices.ContainsFunc(all, func(p each.Progress) bool { return p.Failed > 2 || p.Done > 5 || p.Total != -1 && p.Total != 5 }) {
		t.Fatalf("%+v", all)
	}
	if last := all[len(all)-1]; last != (each.Progress{Done: 5, Failed: 2, Total: 5}) {
		t.Errorf("%+v", last)
	}
}

// With CountAhead, Total is known while the first item still runs.
func TestCountAhead(t *testing.T) {
	s := start(t, sleigh.InProcess(1))
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	known := false
	_, err := each.Run(ctx, s, each.Items(make([]string, 5000)...), sh("exec sleep 600"), &each.Options{
		CountAhead: true,
		Progress: func(p each.Progress) {
			if p == (each.Progress{Total: 5000}) {
				known = true
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) || !known {
		t.Errorf("Total is known: %t; %v", known, err)
	}
}

// As JSON, bytes stay what they are; text is a string also where base64 would be shorter.
func TestResultAsJSON(t *testing.T) {
	short := strings.Repeat("<\n", 300)
	var to bytes.Buffer
	lines := json.NewEncoder(&to)
	lines.SetEscapeHTML(false)
	if err := lines.Encode(each.Result{Command: "echo <a>", Stdout: []byte(short)}); err != nil {
		t.Fatal(err)
	}
	var got struct{ Stdout string }
	if err := json.Unmarshal(to.Bytes(), &got); err != nil || got.Stdout != short || !strings.Contains(to.String(), `"echo <a>"`) {
		t.Errorf("%v, %.100q of %s", err, got.Stdout, &to)
	}
	b, err := json.Marshal(each.Result{Seq: 3, Item: "\xff", Command: "echo <a>", Runtime: 1500 * time.Millisecond, Exit: 2, Stdout: []byte("é\n")})
	want := `{"seq":3,"item":{"base64":"/w=="},"command":"echo \u003ca\u003e","host":"","worker":0,"runtime":1.5,` +
		`"runs":0,"exit":2,"signal":0,"timeout":false,"stdout":"é\n","stderr":""}`
	if err != nil || string(b) != want {
		t.Errorf("%s, %v", b, err)
	}
}

// Without a team the commands are shown, and nothing runs.
func TestDryRun(t *testing.T) {
	var out bytes.Buffer
	sum, err := each.Run(context.Background(), nil, each.Items("a b", "c"), each.Command{Args: []string{"echo", "it's", "{}"}},
		&each.Options{Stdout: &out, DryRun: true, Tag: true})
	if want := "a b\techo 'it'\"'\"'s' 'a b'\nc\techo 'it'\"'\"'s' c\n"; err != nil || out.String() != want || sum.Done != 0 {
		t.Errorf("%q, %+v, %v", &out, sum, err)
	}
	var told []each.Result
	_, err = each.Run(context.Background(), nil, each.Items("a"), each.Command{Args: []string{"echo"}}, &each.Options{
		DryRun: true, OnResult: func(r each.Result) error { told = append(told, r); return nil },
	})
	if len(told) != 1 || told[0].Seq != 1 || told[0].Item != "a" || told[0].Command != "echo a" || told[0].Worker != -1 || err != nil {
		t.Errorf("%+v, %v", told, err)
	}
}

func TestBadOptions(t *testing.T) {
	for name, o := range map[string]each.Options{
		"negative": {Retries: -1}, "output": {OutputBytes: 1 << 30}, "resume": {Resume: true}, "detach": {Detach: true},
		"halt": {Halt: each.Halt{Why: "fail"}}, "nobody": {Name: "x", Detach: true, Halt: each.Halt{Why: "fail", Count: 1}},
		"folder": {Joblog: "/nowhere/at/all"}, "results": {Results: "/dev/null/x"},
	} {
		if _, err := each.Run(context.Background(), nil, each.Items("a"), each.Command{Args: []string{"echo"}}, &o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := each.Run(context.Background(), nil, each.Items("a"), each.Command{}, nil); err == nil {
		t.Error("no command: no error")
	}
}
