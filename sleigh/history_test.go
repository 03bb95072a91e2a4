package sleigh_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// linesOf are the lines of a team that are kept.
func linesOf(t *testing.T, s *sleigh.Sleigh) (all []sleigh.Line) {
	t.Helper()
	for l, err := range s.Lines(testContext(t), false) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

// TestS14Lines has a visitor read what workers have printed and logged, which their master has all the same.
func TestS14Lines(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		var h heard
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(2), Output: h.take})
		v := visitTo(t, rdb, s.Name())
		if lines := linesOf(t, v); len(lines) > 0 {
			t.Errorf("at first there are %v", lines)
		}
		ctx := testContext(t)
		const n = 10
		followed := make(chan int, 1)
		go func() {
			lines := 0
			for l, err := range v.Lines(ctx, true) {
				if err != nil {
					t.Errorf("after %d lines: %v", lines, err)
					break
				}
				if lines++; l.Left > 0 || l.Text == "" {
					t.Errorf("got %+v", l)
				}
				if lines == 10*n { // 6 of each element by stdout and log, 4 by stderr
					break
				}
			}
			followed <- lines
		}()
		if _, err := babble.EachElem(testContext(t), s, upTo(n), nil); err != nil {
			t.Fatal(err)
		}
		var lines []sleigh.Line
		eventually(t, "all is kept that the master has", func() bool {
			lines = linesOf(t, v)
			return len(h.all()) == len(lines) && len(lines) == 10*n
		})
		key := func(l sleigh.Line) string {
			return fmt.Sprint(l.Worker, l.Host, l.Job, l.Index, l.Stream, l.Level, l.Text, l.Left)
		}
		for worker := range 2 {
			for _, stderr := range []bool{true, false} {
				of := func(all []sleigh.Line) (texts []string) {
					for _, l := range all {
						if l.Worker == worker && (l.Stream == sleigh.Stderr) == stderr {
							texts = append(texts, key(l))
						}
					}
					return texts
				}
				if got, want := of(lines), of(h.all()); !slices.Equal(got, want) {
					t.Errorf("of worker %d are kept\n%q\nits master has\n%q", worker, got, want)
				}
			}
		}
		if got := <-followed; got != 10*n {
			t.Errorf("%d lines were followed", got)
		}
		if again := linesOf(t, s); len(again) != 10*n {
			t.Errorf("the master reads %d", len(again))
		}
	})
}

// TestS14LinesLasting has a visitor read what all masters' jobs have logged.
func TestS14LinesLasting(t *testing.T) {
	t.Parallel()
	onLastingTeams(t, func(t *testing.T, master func() *sleigh.Sleigh) {
		ids := []string{}
		var v *sleigh.Sleigh
		for range 2 {
			s := master()
			v = visitTo(t, clientOf(t, s), s.Name())
			job, err := mutter.Submit(testContext(t), s, slices.Values([]string{"one", "two"}), nil)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, job.ID())
			if _, err := job.Wait(testContext(t)); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "the lines of both are there", func() bool {
			of := map[string]bool{}
			for _, l := range linesOf(t, v) {
				of[l.Job] = true
			}
			return of[ids[0]] && of[ids[1]]
		})
	})
}

// TestS14LinesAreBounded stores more lines than are kept: many, and large ones. One who follows is told how many are missing.
func TestS14LinesAreBounded(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		ctx := testContext(t)
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(1), Output: func(sleigh.Line) {}})
		ws, err := workspace.Use(ctx, rdb, s.Name(), false)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ws.Close() }()
		stored := 0
		add := func(texts ...string) {
			t.Helper()
			if _, err := sleigh.StoreLines(ctx, ws, 7, "someone", stored, 0, texts...); err != nil {
				t.Fatal(err)
			}
			stored += len(texts)
		}
		gone := 0
		if brief() && rdb.String() == "embedded" { // where as many scripts take seconds
			add("line 0")
		} else {
			for i := range sleigh.RecentPages + 20 {
				add(fmt.Sprint("line ", i))
			}
			gone = 20
			if lines := linesOf(t, s); len(lines) != sleigh.RecentPages || lines[0].Text != "line 20" || lines[0].Worker != 7 {
				t.Errorf("%d lines, from %+v", len(lines), lines[0])
			}
		}

		large := strings.Repeat("x", 10_000)
		left, seen := 0, 0
		for l, err := range s.Lines(ctx, true) {
			if err != nil {
				t.Fatal(err)
			}
			if l.Left > 0 {
				left += l.Left
			} else {
				seen++
			}
			if seen == 1 { // more than what is kept comes before the next one is read
				for range 200 {
					add(large)
				}
				add("the last one")
			}
			if l.Text == "the last one" {
				break
			}
		}
		if seen+left != stored-gone || left < 100 {
			t.Errorf("%d lines were seen and %d left out, of %d", seen, left, stored)
		}
		if lines := linesOf(t, s); len(lines) < 90 || len(lines) > 110 { // of 10 kB each
			t.Errorf("%d large lines are kept", len(lines))
		}
		info, err := ws.DescribeVars(ctx, "recent")
		if err != nil || len(info) != 1 || info[0].Values > 110 {
			t.Errorf("there are %+v, %v", info, err)
		}
	})
}

// TestS14LinesEnd follows until the context, the visit, or the team ends.
func TestS14LinesEnd(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(1)})
		ended := func(of *sleigh.Sleigh, ctx context.Context, end func()) (last error) {
			t.Helper()
			over := make(chan error, 1)
			go func() {
				var last error
				for _, last = range of.Lines(ctx, true) { //nolint:revive // The last one counts.
				}
				over <- last
			}()
			eventually(t, "it waits", func() bool {
				ws, err := workspace.Use(testContext(t), rdb, s.Name(), false)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = ws.Close() }()
				info, err := ws.DescribeVars(testContext(t), "recent")
				return err == nil && len(info) == 1 && info[0].Finders == 1
			})
			end()
			return <-over
		}
		ctx, cancel := context.WithCancel(testContext(t))
		if err := ended(s, ctx, cancel); !errors.Is(err, context.Canceled) {
			t.Errorf("with its context it ends by %v", err)
		}
		v := visitTo(t, rdb, s.Name())
		if err := ended(v, testContext(t), func() { _ = v.Stop(testContext(t)) }); !errors.Is(err, sleigh.ErrStopped) {
			t.Errorf("with the visit it ends by %v", err)
		}
		v = visitTo(t, rdb, s.Name())
		if err := ended(v, testContext(t), func() { _ = s.Stop(testContext(t)) }); !errors.Is(err, sleigh.ErrNoTeam) {
			t.Errorf("with the team it ends by %v", err)
		}
	})
}
