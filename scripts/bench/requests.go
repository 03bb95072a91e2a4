package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

var requests = study{
	name: "requests", what: "what Redis does for each call or element: scripts, all commands in them and beside them, CPU time",
	measure: func(ctx context.Context, b *bench) (_ *sheet, err error) {
		s := &sheet{Columns: []string{"for each", "scripts", "commands", "Redis CPU"}}
		ws, err := workspace.Open(ctx, b.rdb, "requests", nil)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, ws.Close()) }()
		if err := b.requestsOfVerbs(ctx, s, ws); err != nil {
			return nil, err
		}
		if err := b.requestsOfNew(ctx, s, ws); err != nil {
			return nil, err
		}
		if err := withTeam(ctx, b.rdb, 1, func(team *sleigh.Sleigh) error { return b.requestsOfTeam(ctx, s, team) }); err != nil {
			return nil, err
		}
		return s, b.requestsOfOthers(ctx, s)
	},
}

func (b *bench) requestsOfVerbs(ctx context.Context, s *sheet, ws *workspace.Workspace) error {
	for _, goroutines := range []int{1, 64} {
		c := &callers{goroutines: goroutines, b: b, ws: ws}
		n := b.size(20_000, 5_000)
		for _, verb := range []struct {
			name string
			call func(ctx context.Context) error
		}{{"Store", c.store}, {"Fetch", c.fetch}, {"RPUSH", c.push}, {"LPOP", c.pop}} {
			name := fmt.Sprintf("%s, %d goroutines", verb.name, goroutines)
			if goroutines == 1 {
				name = verb.name
			}
			err := b.count(ctx, s, name, n, func() error {
				_, err := c.time(ctx, n, verb.call)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// requestsOfNew is what the first store into a variable costs, which makes it.
func (b *bench) requestsOfNew(ctx context.Context, s *sheet, ws *workspace.Workspace) error {
	n := b.size(20_000, 5_000)
	return b.count(ctx, s, "Store into a new variable, 64 goroutines", n, func() error {
		return fromMany(ctx, n, func(ctx context.Context, i int) error { return ws.Store(ctx, "new "+strconv.Itoa(i), value) })
	})
}

func (b *bench) requestsOfTeam(ctx context.Context, s *sheet, team *sleigh.Sleigh) error {
	for _, work := range []struct {
		name string
		n    int
		run  func(n int) error
	}{
		{"element that does nothing", b.size(1_000_000, 200_000), func(n int) error {
			_, err := eachNothing(ctx, team, n, nil)
			return err
		}},
		{"the same by tasks of one", b.size(10_000, 2_000), func(n int) error {
			_, err := eachNothing(ctx, team, n, &sleigh.JobOptions{Chunk: 1, LoadFactor: 1})
			return err
		}},
		{"element of 10 ms", b.size(1000, 200), func(n int) error {
			_, _, err := sleep(ctx, team, slices.Repeat([]time.Duration{10 * time.Millisecond}, n))
			return err
		}},
		{"element of 100 ms", b.size(200, 40), func(n int) error {
			_, _, err := sleep(ctx, team, slices.Repeat([]time.Duration{100 * time.Millisecond}, n))
			return err
		}},
		{"EachElem of one element", b.size(2000, 300), func(n int) error {
			for i := range n {
				if _, err := nothing.EachElem(ctx, team, slices.Values([]int{i}), nil); err != nil {
					return err
				}
			}
			return nil
		}},
	} {
		if err := b.count(ctx, s, work.name, work.n, func() error { return work.run(work.n) }); err != nil {
			return err
		}
	}
	return nil
}

// requestsOfOthers is what the others need for a task.
func (b *bench) requestsOfOthers(ctx context.Context, s *sheet) error {
	hand, err := startUnsafe(ctx, b)
	if err != nil {
		return err
	}
	defer hand.crew.end()
	n := b.size(1_000_000, 200_000)
	if err := b.count(ctx, s, "element by hand, unsafe", n, func() error {
		_, err := hand.each(ctx, n)
		return err
	}); err != nil {
		return err
	}
	a := newAsynq(b)
	defer a.close()
	crew, err := startCrew(processes, "asynq-worker", b.addr)
	if err != nil {
		return err
	}
	defer crew.end()
	if _, err := a.run(ctx, 500); err != nil {
		return err
	}
	return b.count(ctx, s, "task of asynq", a.n, func() error {
		_, err := a.run(ctx, a.n)
		return err
	})
}

var commandCalls = regexp.MustCompile(`cmdstat_([^:]+):calls=(\d+)`)

// count adds what Redis does for each of n while f runs.
func (b *bench) count(ctx context.Context, s *sheet, name string, n int, f func() error) error {
	if err := b.plain.ConfigResetStat(ctx).Err(); err != nil {
		return err
	}
	used, err := cpuDuring(ctx, b.plain, f)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	info, err := b.plain.Info(ctx, "commandstats").Result()
	if err != nil {
		return err
	}
	scripts, commands := 0, 0
	for _, found := range commandCalls.FindAllStringSubmatch(info, -1) {
		calls, err := strconv.Atoi(found[2])
		if err != nil {
			return err
		}
		switch found[1] {
		case "eval", "evalsha":
			scripts += calls
		case "info", "config|resetstat":
		default:
			commands += calls
		}
	}
	s.add(name, few(float64(scripts)/float64(n)), few(float64(commands)/float64(n)), inSeconds.format(used.Seconds()/float64(n)))
	return nil
}

// few is a number of which there may be less than one.
func few(x float64) string {
	if x < 0.1 {
		return fmt.Sprintf("%.1g", x)
	}
	return digits(x)
}
