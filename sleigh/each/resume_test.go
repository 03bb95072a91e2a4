package each_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/each"
)

// A run that was interrupted runs only what is missing, and the joblog has each item once.
func TestResume(t *testing.T) {
	s := start(t, sleigh.Local(2))
	directory := t.TempDir()
	log := filepath.Join(directory, "log")
	items := numbered(150)
	c := each.Command{Args: []string{"sh", "-c", `echo x >>"$1/$2"; echo $2`, "sh", directory, "{}"}}
	var first strings.Builder
	ctx, interrupt := context.WithCancel(testContext(t))
	n := 0
	sum, err := each.Run(ctx, s, each.Items(items...), c, &each.Options{Joblog: log, Stdout: &first, Chunk: 1, OnResult: func(each.Result) error {
		if n++; n == 20 {
			interrupt()
		}
		return nil
	}})
	if !errors.Is(err, context.Canceled) || sum.Done < 20 || sum.Done == len(items) {
		t.Fatalf("%+v, %v", sum, err)
	}
	done := strings.Fields(first.String())
	if len(done) != sum.Done || len(logLines(t, log)) != sum.Done+1 {
		t.Errorf("%d were written, the joblog has %q", len(done), logLines(t, log))
	}
	torn, err := os.OpenFile(log, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := torn.WriteString("150\thost\t17"); err != nil || torn.Close() != nil { // as it may be left when power fails
		t.Fatal(err)
	}

	p, again := run(t, s, c, each.Options{Joblog: log, Resume: true}, items...)
	if again.Skipped != sum.Done || again.Done != len(items)-sum.Done {
		t.Errorf("%+v after %+v", again, sum)
	}
	if both := sorted(first.String() + p.stdout.String()); both != sorted(strings.Join(items, "\n")+"\n") {
		t.Errorf("both have %q", both)
	}
	for _, item := range done {
		if ran, err := os.ReadFile(filepath.Join(directory, item)); err != nil || string(ran) != "x\n" {
			t.Errorf("item %s was done, and ran again: %q, %v", item, ran, err)
		}
	}
	seen := map[int]bool{}
	for _, line := range logLines(t, log)[1:] {
		if seen[seqOf(line)] {
			t.Errorf("twice in the joblog: %s", line)
		}
		seen[seqOf(line)] = true
	}
	if len(seen) != len(items) {
		t.Errorf("the joblog has %d items", len(seen))
	}
}

// What failed runs again if that is wanted, and what is no joblog is left alone.
func TestResumeFailed(t *testing.T) {
	s := start(t, sleigh.InProcess(1))
	directory := t.TempDir()
	log := filepath.Join(directory, "log")
	good := filepath.Join(directory, "good")
	c := each.Command{Args: []string{"sh", "-c", `test $2 = 2 || test -e $1`, "sh", good, "{}"}}
	_, sum := run(t, s, c, each.Options{Joblog: log}, "1", "2", "3")
	if sum.Failed != 2 {
		t.Fatalf("%+v", sum)
	}
	if err := os.WriteFile(good, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var progress each.Progress
	if _, sum = run(t, s, c, each.Options{Joblog: log, Resume: true}, "1", "2", "3", "4"); sum.Skipped != 3 || sum.Done != 1 {
		t.Errorf("%+v", sum)
	}
	o := each.Options{Joblog: log, ResumeFailed: true, Progress: func(p each.Progress) { progress = p }}
	if _, sum = run(t, s, c, o, "1", "2", "3", "4"); sum.Skipped != 2 || sum.Done != 2 || sum.Failed != 0 {
		t.Errorf("%+v", sum)
	}
	if progress != (each.Progress{Done: 4, Skipped: 2, Total: 4}) {
		t.Errorf("%+v", progress)
	}
	if _, sum = run(t, s, c, o, "1", "2", "3", "4"); sum.Skipped != 4 || sum.Done != 0 {
		t.Errorf("%+v", sum)
	}

	if err := os.WriteFile(log, []byte("dear diary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := each.Run(testContext(t), s, each.Items("1"), c, &o)
	if text, unread := os.ReadFile(log); err == nil || unread != nil || string(text) != "dear diary\n" {
		t.Errorf("%q, %v", text, err)
	}
	run(t, s, c, each.Options{Joblog: log}, "1")
	if lines := logLines(t, log); len(lines) != 2 {
		t.Errorf("a new joblog has %q", lines)
	}
}
