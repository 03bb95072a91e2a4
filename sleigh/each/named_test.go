package each_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/each"
)

func numbered(n int) []string {
	items := make([]string, n)
	for i := range items {
		items[i] = strconv.Itoa(i + 1)
	}
	return items
}

// join makes a master of a team that lasts. It leaves when leave is called.
func join(t *testing.T, rdb *redisx.Client, launch sleigh.Launcher) (s *sleigh.Sleigh, leave func()) {
	t.Helper()
	s, err := sleigh.Join(testContext(t), rdb, "farm", &sleigh.Options{Launch: launch})
	if err != nil {
		t.Fatal(err)
	}
	return s, func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Errorf("Stop: %v", err)
		}
	}
}

// team is a team that lasts until the end of the test, with workers that stay.
func team(t *testing.T) *redisx.Client {
	t.Helper()
	rdb := open(t)
	s, _ := join(t, rdb, sleigh.InProcess(2))
	t.Cleanup(func() {
		if err := s.Disband(context.Background()); err != nil {
			t.Errorf("Disband: %v", err)
		}
	})
	return rdb
}

// A job is left by one program, collected by another, and what failed is tried once more by a third.
func TestDetachAttachRetry(t *testing.T) {
	rdb := team(t)
	directory := t.TempDir()
	good, begin, log := filepath.Join(directory, "good"), filepath.Join(directory, "begin"), filepath.Join(directory, "log")
	items := numbered(30)
	const script = `until test -e "$2"; do sleep 0.01; done; echo "out $3"; test $(($3 % 10)) != 0 || test -e "$1"`
	c := each.Command{Args: []string{"sh", "-c", script, "sh", good, begin, "{}"}}

	s, leave := join(t, rdb, nil)
	sum, err := each.Run(testContext(t), s, each.Items(items...), c, &each.Options{Name: "night", Detach: true})
	if err != nil || !sum.Detached || sum.Submitted != 30 || sum.Done != 0 {
		t.Fatalf("%+v, %v", sum, err)
	}
	if _, err := each.Retry(testContext(t), s, "night", nil); !errors.Is(err, sleigh.ErrNoJob) {
		t.Errorf("before it has ended: %v", err)
	}
	if err := os.WriteFile(begin, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	leave()

	s, leave = join(t, rdb, nil)
	var out strings.Builder
	sum, err = each.Attach(testContext(t), s, "night", &each.Options{Stdout: &out, KeepOrder: true, Tag: true, Joblog: log})
	if err != nil || sum.Done != 30 || sum.Failed != 3 {
		t.Fatalf("%+v, %v", sum, err)
	}
	var want strings.Builder
	for _, item := range items {
		want.WriteString(item + "\tout " + item + "\n")
	}
	if out.String() != want.String() {
		t.Errorf("%q", &out)
	}
	lines := logLines(t, log)
	if len(lines) != 31 || !strings.HasPrefix(lines[10], "10\t0\t7\t1\t0\tsh -c ") || !strings.HasSuffix(lines[10], " 10") {
		t.Errorf("the joblog has %q", lines)
	}
	if _, err := each.Attach(testContext(t), s, "night", nil); !errors.Is(err, sleigh.ErrFinished) {
		t.Errorf("once more: %v", err)
	}
	if _, err := each.Run(testContext(t), s, each.Items(items...), c, &each.Options{Name: "night"}); !errors.Is(err, sleigh.ErrFinished) {
		t.Errorf("run once more: %v", err)
	}
	leave()

	s, leave = join(t, rdb, nil)
	defer leave()
	out.Reset()
	for _, failed := range []int{3, 3, 0} {
		if failed == 0 {
			if err := os.WriteFile(good, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			out.Reset()
			sum, err = each.Retry(testContext(t), s, "night", &each.Options{DryRun: true, Stdout: &out})
			if err != nil || strings.Count(out.String(), "\n") != 3 {
				t.Errorf("dry: %q, %+v, %v", &out, sum, err)
			}
		}
		out.Reset()
		sum, err = each.Retry(testContext(t), s, "night", &each.Options{KeepOrder: true, Stdout: &out, Joblog: log, Resume: true})
		if err != nil || sum.Done != 3 || sum.Failed != failed || out.String() != "out 10\nout 20\nout 30\n" {
			t.Errorf("%q, %+v, %v", &out, sum, err)
		}
	}
	if sum, err = each.Retry(testContext(t), s, "night", nil); err != nil || sum.Done != 0 {
		t.Errorf("with nothing left: %+v, %v", sum, err)
	}
	if _, err = each.Retry(testContext(t), s, "day", nil); !errors.Is(err, sleigh.ErrNoJob) {
		t.Errorf("of none: %v", err)
	}
}

// A job with a name whose program was interrupted goes on with the same call, and each item is written once.
func TestNamedRunGoesOn(t *testing.T) {
	rdb := team(t)
	log := filepath.Join(t.TempDir(), "log")
	items := numbered(200)
	echo := each.Command{Args: []string{"echo"}}
	var out strings.Builder
	for leg, stopAt := range []int{40, 90, 1000} {
		s, leave := join(t, rdb, nil)
		ctx, interrupt := context.WithCancel(testContext(t))
		n := 0
		sum, err := each.Run(ctx, s, each.Items(items...), echo, &each.Options{
			Name: "long", Stdout: &out, Joblog: log, Resume: leg > 0,
			OnResult: func(each.Result) error {
				if n++; n == stopAt {
					interrupt()
				}
				return nil
			},
		})
		if leg == 2 && err != nil || leg < 2 && !errors.Is(err, context.Canceled) {
			t.Fatalf("leg %d: %+v, %v", leg, sum, err)
		}
		interrupt()
		leave()
	}
	if sorted(out.String()) != sorted(strings.Join(items, "\n")+"\n") {
		t.Errorf("%d lines", strings.Count(out.String(), "\n"))
	}
	if lines := logLines(t, log); len(lines) != 201 {
		t.Errorf("the joblog has %d lines", len(lines))
	}
}

// An error of writing leaves a job with a name to whoever attaches, with the result that was not written.
func TestNamedRunIsLeft(t *testing.T) {
	rdb := team(t)
	s, leave := join(t, rdb, nil)
	var out strings.Builder
	closed := errors.New("nobody reads")
	written := 0
	sum, err := each.Run(testContext(t), s, each.Items(numbered(20)...), each.Command{Args: []string{"echo"}}, &each.Options{
		Name: "pipe", KeepOrder: true,
		OnResult: func(r each.Result) error {
			if r.Seq == 6 {
				return closed
			}
			written++
			return nil
		},
	})
	if !errors.Is(err, closed) || sum.Done != 5 || written != 5 {
		t.Fatalf("%+v, %v", sum, err)
	}
	leave()
	s, leave = join(t, rdb, nil)
	defer leave()
	sum, err = each.Run(testContext(t), s, each.Items(numbered(20)...), each.Command{Args: []string{"echo"}}, &each.Options{
		Name: "pipe", KeepOrder: true, Stdout: &out,
	})
	if err != nil || out.String() != strings.Join(numbered(20)[5:], "\n")+"\n" {
		t.Errorf("%q, %+v, %v", &out, sum, err)
	}
}

// Workers that refuse the commands of a job that was left have them fail, and Attach says so at the end.
func TestAttachTellsOfRefusals(t *testing.T) {
	rdb := team(t)
	t.Setenv(each.AllowEnv, "cat")
	s, leave := join(t, rdb, nil)
	defer leave()
	if _, err := each.Run(testContext(t), s, each.Items("a", "b"), each.Command{Args: []string{"echo"}}, &each.Options{Name: "x", Detach: true}); err != nil {
		t.Fatal(err)
	}
	sum, err := each.Attach(testContext(t), s, "x", nil)
	if !errors.Is(err, each.ErrNotAllowed) || sum.Done != 2 || sum.Failed != 2 {
		t.Errorf("%+v, %v", sum, err)
	}
	t.Setenv(each.AllowEnv, "all")
	if sum, err = each.Retry(testContext(t), s, "x", nil); err != nil || sum.Done != 2 || sum.Failed != 0 {
		t.Errorf("%+v, %v", sum, err)
	}
}

// What a joblog has is passed over by a job with a name, too, which has all items nevertheless.
func TestNamedRunResumes(t *testing.T) {
	rdb := team(t)
	s, leave := join(t, rdb, nil)
	defer leave()
	log := filepath.Join(t.TempDir(), "log")
	echo := each.Command{Args: []string{"echo"}}
	run(t, s, echo, each.Options{Joblog: log}, "1", "2")
	p, sum := run(t, s, echo, each.Options{Joblog: log, Resume: true, KeepOrder: true, Name: "rest"}, numbered(5)...)
	if p.stdout.String() != "3\n4\n5\n" || sum.Skipped != 2 || sum.Done != 3 || sum.Submitted != 5 {
		t.Errorf("%q, %+v", &p.stdout, sum)
	}
}
