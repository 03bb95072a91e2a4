package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// nothings are many numbers as one element.
var nothings = sleigh.Register("bench.nothings", func(_ context.Context, all []int) ([]int, error) { return all, nil })

// numbersAtOnce is how many.
const numbersAtOnce = 1000

var tuning = study{
	name: "tuning", what: "what settings change",
	measure: func(ctx context.Context, b *bench) (*sheet, error) {
		t := &tuner{b, &sheet{Columns: []string{"work", "setting", "in a second", "beside the default"}}}
		if err := withTeam(ctx, b.rdb, 1, func(s *sleigh.Sleigh) error { return t.tiny(ctx, s) }); err != nil {
			return nil, err
		}
		if err := withTeam(ctx, b.rdb, 8, func(s *sleigh.Sleigh) error { return t.naps(ctx, s) }); err != nil {
			return nil, err
		}
		return t.sheet, t.persistence(ctx)
	},
}

// tuner adds lines to a sheet.
type tuner struct {
	*bench
	*sheet
}

// trial is some work under a setting.
type trial struct {
	setting string
	run     func() error
	prepare func() error // is not counted; may be nil
}

// try adds what is done in a second of n, the median of three. All are tried in turn; the first one is the default.
func (t *tuner) try(work string, n int, trials []trial) error {
	rates := make([][]float64, len(trials))
	for range t.size(3, 1) {
		for i, one := range trials {
			if one.prepare != nil {
				if err := one.prepare(); err != nil {
					return fmt.Errorf("%s, %s: %w", work, one.setting, err)
				}
			}
			began := time.Now()
			if err := one.run(); err != nil {
				return fmt.Errorf("%s, %s: %w", work, one.setting, err)
			}
			rates[i] = append(rates[i], float64(n)/time.Since(began).Seconds())
		}
	}
	for i, one := range trials {
		rate := median(rates[i])
		t.add(work, one.setting, perSecond.format(rate), fmt.Sprintf("%.2f", rate/median(rates[0])))
	}
	return nil
}

func (t *tuner) tiny(ctx context.Context, s *sleigh.Sleigh) error {
	n := t.size(1_000_000, 200_000)
	with := func(o *sleigh.JobOptions) func() error {
		return func() error {
			_, err := eachNothing(ctx, s, n, o)
			return err
		}
	}
	numbers := slices.Collect(upTo(n))
	return t.try("numbers, nothing to do", n, []trial{
		{setting: "default", run: with(nil)},
		{setting: "Chunk: 10000", run: with(&sleigh.JobOptions{Chunk: 10000})},
		{setting: "Chunk: 1000", run: with(&sleigh.JobOptions{Chunk: 1000})},
		{setting: "Chunk: 100", run: with(&sleigh.JobOptions{Chunk: 100})},
		{setting: "LoadFactor: 1", run: with(&sleigh.JobOptions{LoadFactor: 1})},
		{setting: "LoadFactor: 16", run: with(&sleigh.JobOptions{LoadFactor: 16})},
		{setting: fmt.Sprintf("%d of them an element", numbersAtOnce), run: func() error {
			results, err := nothings.EachElem(ctx, s, slices.Chunk(numbers, numbersAtOnce), nil)
			if err != nil {
				return err
			}
			return checkOrder(slices.Concat(results...), n)
		}},
	})
}

func (t *tuner) naps(ctx context.Context, s *sleigh.Sleigh) error {
	naps := slices.Repeat([]time.Duration{10 * time.Millisecond}, t.size(4000, 800))
	with := func(o *sleigh.JobOptions) func() error {
		return func() error {
			_, err := nap.EachElem(ctx, s, slices.Values(naps), o)
			return err
		}
	}
	return t.try("elements of 10 ms, 16 slots", len(naps), []trial{
		{setting: "default", run: with(nil)},
		{setting: "Chunk: 1", run: with(&sleigh.JobOptions{Chunk: 1})},
		{setting: "LoadFactor: 1", run: with(&sleigh.JobOptions{LoadFactor: 1})},
		{setting: "LoadFactor: 16", run: with(&sleigh.JobOptions{LoadFactor: 16})},
		{setting: "NoCopies: true", run: with(&sleigh.JobOptions{NoCopies: true})},
	})
}

// persistence has the server keep what it is told on disk, in its folder for temporary files.
func (t *tuner) persistence(ctx context.Context) (err error) {
	ws, err := workspace.Open(ctx, t.rdb, "tuning", nil)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, t.keepOnDisk(ctx, "no", "everysec"), ws.Close())
	}()
	return withTeam(ctx, t.rdb, 1, func(s *sleigh.Sleigh) error {
		n := t.size(200_000, 100_000) // few enough for a disk that is nearly full
		calls := t.size(8_000, 4_000)
		many := &callers{goroutines: 64, b: t.bench, ws: ws}
		one := &callers{goroutines: 1, b: t.bench, ws: ws}
		for _, work := range []struct {
			name string
			n    int
			run  func() error
		}{
			{"numbers, nothing to do", n, func() error {
				_, err := eachNothing(ctx, s, n, nil)
				return err
			}},
			{"Store and Fetch, 64 goroutines", 2 * calls, func() error { return many.there(ctx, calls) }},
			{"Store and Fetch, one goroutine", calls / 2, func() error { return one.there(ctx, calls/4) }},
		} {
			under := func(setting, appendOnly, fsync string) trial {
				return trial{setting, work.run, func() error { return t.keepOnDisk(ctx, appendOnly, fsync) }}
			}
			if err := t.try(work.name, work.n, []trial{
				under("no persistence", "no", "everysec"),
				under("appendfsync everysec", "yes", "everysec"),
				under("appendfsync always", "yes", "always"),
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

// there stores and fetches n values.
func (c *callers) there(ctx context.Context, n int) error {
	if _, err := c.time(ctx, n, c.store); err != nil {
		return err
	}
	_, err := c.time(ctx, n, c.fetch)
	return err
}

// keepOnDisk returns when the file has what was there before.
func (b *bench) keepOnDisk(ctx context.Context, appendOnly, fsync string) error {
	server := b.server.Redis()
	err := errors.Join(server.ConfigSet(ctx, "appendfsync", fsync).Err(), server.ConfigSet(ctx, "appendonly", appendOnly).Err())
	for err == nil {
		var info string
		if info, err = server.Info(ctx, "persistence").Result(); strings.Contains(info, "aof_rewrite_in_progress:0") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}
