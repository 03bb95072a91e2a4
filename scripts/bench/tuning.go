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
		t := &tuner{bench: b, sheet: &sheet{Columns: []string{"work", "setting", "in a second", "beside the default"}}}
		if err := withTeam(ctx, b.rdb, 1, func(s *sleigh.Sleigh) error { return t.tiny(ctx, s) }); err != nil {
			return nil, err
		}
		if err := withTeam(ctx, b.rdb, 8, func(s *sleigh.Sleigh) error { return t.naps(ctx, s) }); err != nil {
			return nil, err
		}
		return t.sheet, t.persistence(ctx)
	},
}

// tuner adds lines to a sheet. The first one of some work is the default.
type tuner struct {
	*bench
	*sheet
	work     string
	standard float64 // of that
}

// try adds what is done in a second, the median of three, of f, which does n.
func (t *tuner) try(work, setting string, n int, f func() error) error {
	var rates []float64
	for range t.size(3, 1) {
		began := time.Now()
		if err := f(); err != nil {
			return fmt.Errorf("%s, %s: %w", work, setting, err)
		}
		rates = append(rates, float64(n)/time.Since(began).Seconds())
	}
	rate := median(rates)
	if work != t.work {
		t.work, t.standard = work, rate
	}
	t.add(work, setting, perSecond.format(rate), fmt.Sprintf("%.2f", rate/t.standard))
	return nil
}

func (t *tuner) tiny(ctx context.Context, s *sleigh.Sleigh) error {
	const work = "numbers, nothing to do"
	n := t.size(1_000_000, 200_000)
	for _, c := range []struct {
		setting string
		o       *sleigh.JobOptions
	}{
		{"default", nil},
		{"Chunk: 10000", &sleigh.JobOptions{Chunk: 10000}},
		{"Chunk: 1000", &sleigh.JobOptions{Chunk: 1000}},
		{"Chunk: 100", &sleigh.JobOptions{Chunk: 100}},
		{"LoadFactor: 1", &sleigh.JobOptions{LoadFactor: 1}},
		{"LoadFactor: 16", &sleigh.JobOptions{LoadFactor: 16}},
	} {
		if err := t.try(work, c.setting, n, func() error {
			_, err := eachNothing(ctx, s, n, c.o)
			return err
		}); err != nil {
			return err
		}
	}
	return t.try(work, fmt.Sprintf("%d of them an element", numbersAtOnce), n, func() error {
		results, err := nothings.EachElem(ctx, s, slices.Chunk(slices.Collect(upTo(n)), numbersAtOnce), nil)
		if err != nil {
			return err
		}
		return checkOrder(slices.Concat(results...), n)
	})
}

func (t *tuner) naps(ctx context.Context, s *sleigh.Sleigh) error {
	n := t.size(4000, 800)
	for _, c := range []struct {
		setting string
		o       *sleigh.JobOptions
	}{
		{"default", nil},
		{"Chunk: 1", &sleigh.JobOptions{Chunk: 1}},
		{"LoadFactor: 1", &sleigh.JobOptions{LoadFactor: 1}},
		{"LoadFactor: 16", &sleigh.JobOptions{LoadFactor: 16}},
		{"NoCopies: true", &sleigh.JobOptions{NoCopies: true}},
	} {
		if err := t.try("elements of 10 ms, 16 slots", c.setting, n, func() error {
			_, err := nap.EachElem(ctx, s, slices.Values(slices.Repeat([]time.Duration{10 * time.Millisecond}, n)), c.o)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
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
			t.work = ""
			for _, c := range [][3]string{
				{"no persistence", "no", "everysec"}, {"appendfsync everysec", "yes", "everysec"}, {"appendfsync always", "yes", "always"},
			} {
				if err := t.keepOnDisk(ctx, c[1], c[2]); err != nil {
					return err
				}
				if err := t.try(work.name, c[0], work.n, work.run); err != nil {
					return err
				}
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
