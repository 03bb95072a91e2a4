//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/netspaces/netspaces/examples/internal/program"
	"github.com/netspaces/netspaces/examples/internal/programtest"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

func TestMain(m *testing.M) { programtest.Main(m) }

// rowsIn are the whole rows of a table, sorted by their numbers. A file that is not there has none.
func rowsIn(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	rows := strings.SplitAfter(string(text), "\n")
	rows = rows[:len(rows)-1]
	slices.SortFunc(rows, func(a, b string) int { return number(t, a) - number(t, b) })
	return rows
}

func number(t *testing.T, row string) int {
	t.Helper()
	first, _, _ := strings.Cut(row, ",")
	n, err := strconv.Atoi(first)
	if err != nil {
		t.Fatalf("the table has a row %q", row)
	}
	return n
}

// uninterrupted is what the table is to have in the end.
func uninterrupted(t *testing.T) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "at-once.csv")
	programtest.Start(t, "--csv", path, size, "--workers=2").Prints("")
	rows := rowsIn(t, path)
	dead := 0
	for i, row := range rows {
		if number(t, row) != i || strings.Contains(row, "network") {
			t.Errorf("row %d is %q", i, row)
		}
		if regexp.MustCompile(`^\d+,4\.\d+,0\.0\d+,,"it dies out in year \d+"\n$`).MatchString(row) {
			dead++
		} else if !regexp.MustCompile(`^\d+,[34]\.\d+,0\.\d+,-?\d+\.\d+,\n$`).MatchString(row) {
			t.Errorf("row %d is %q", i, row)
		}
	}
	if len(rows) != points || dead == 0 || dead > points/10 {
		t.Fatalf("%d rows, %d of populations that died out", len(rows), dead)
	}
	return rows
}

const (
	size   = "--grid=24"
	points = 576
)

// interrupt starts the program, and stops it once it has added some rows to those that were there.
func interrupt(t *testing.T, path string, stop syscall.Signal) (code int, stderr string) {
	t.Helper()
	before := len(rowsIn(t, path))
	r := programtest.Start(t, "--csv", path, size, "--workers=2")
	programtest.Eventually(t, "rows are added", func() bool { return len(rowsIn(t, path)) >= before+points/6 })
	pids := r.Workers()
	r.Signal(stop)
	code = r.Wait()
	programtest.AwaitEnd(t, pids)
	if has := len(rowsIn(t, path)); has >= points {
		t.Fatalf("it was stopped too late: %d rows", has)
	}
	return code, r.Stderr.Text()
}

// Interrupted three times, the table has the same rows as at once, each once.
func TestInterrupted(t *testing.T) {
	url, _ := programtest.RedisServer(t)
	t.Setenv("REDIS_URL", url)
	want := uninterrupted(t)
	path := filepath.Join(t.TempDir(), "sweep.csv")
	for leg, stop := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL, syscall.SIGINT} {
		code, said := interrupt(t, path, stop)
		if code != program.ExitSignal+int(stop) {
			t.Errorf("leg %d: exit code %d: %q", leg, code, said)
		}
		if stop == syscall.SIGINT && !strings.Contains(said, "the same command goes on") {
			t.Errorf("leg %d: it says %q", leg, said)
		}
		cutOff(t, path)
	}
	programtest.Start(t, "--csv", path, size, "--workers=2").Prints("")
	if got := rowsIn(t, path); !slices.Equal(got, want) {
		t.Errorf("%d rows, which differ from those of a run that was not interrupted", len(got))
	}

	r := programtest.Start(t, "--csv", path, size)
	r.Prints("")
	if said := r.Stderr.Text(); !strings.Contains(said, sleigh.ErrFinished.Error()) {
		t.Errorf("once more: %q", said)
	}
	if got := rowsIn(t, path); !slices.Equal(got, want) {
		t.Errorf("once more: %d rows", len(got))
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	programtest.Fails(t, program.ExitError, sleigh.ErrFinished.Error(), "--csv", path, size)
}

// While one has the job, another one leaves the table as it is, also a row that the first one has begun to write.
func TestTwice(t *testing.T) {
	url, _ := programtest.RedisServer(t)
	t.Setenv("REDIS_URL", url)
	path := filepath.Join(t.TempDir(), "sweep.csv")
	rdb, err := redisx.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	s, err := sleigh.Join(t.Context(), rdb, "sweep", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Stop(context.Background()) }()
	if _, err := exponent.Submit(t.Context(), s, slices.Values(make([]point, points)), &sleigh.JobOptions{Name: path + " (24)"}); err != nil {
		t.Fatal(err)
	}
	cutOff(t, path)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	programtest.Fails(t, program.ExitError, "has a master", "--csv", path, size)
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the table has %q, %v", after, err)
	}
}

// cutOff adds the beginning of a row, as a machine may leave it that loses power.
func cutOff(t *testing.T, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err == nil {
		_, err = file.WriteString("575,4.16")
	}
	if err != nil || file.Close() != nil {
		t.Fatal(err)
	}
}

// With a Redis that ends with the program, what the file has is not computed again.
func TestInterruptedEmbedded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sweep.csv")
	if code, said := interrupt(t, path, syscall.SIGINT); code != program.ExitSignal+int(syscall.SIGINT) {
		t.Errorf("exit code %d: %q", code, said)
	}
	had, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	programtest.Start(t, "--csv", path, size, "--workers=2").Prints("")
	text, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(text), string(had)) {
		t.Errorf("the rows that were there have changed, %v", err)
	}
	for i, row := range rowsIn(t, path) {
		if number(t, row) != i {
			t.Fatalf("row %d is %q", i, row)
		}
	}
	programtest.Start(t, "--csv", path, size).Prints("")
	if again, err := os.ReadFile(path); err != nil || string(again) != string(text) {
		t.Errorf("once more, the table has changed, %v", err)
	}
}
