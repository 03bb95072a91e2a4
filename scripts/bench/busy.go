package main

import (
	"context"
	"slices"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// nap sleeps, so that slots need no cores, and says for how long it has, since a sleep may take longer than it was asked to.
var nap = sleigh.Register("bench.nap", func(_ context.Context, d time.Duration) (time.Duration, error) {
	began := time.Now()
	time.Sleep(d)
	return time.Since(began), nil
})

var (
	busyShort = family{
		rows: []row{{
			"busy_10ms", share, "share of the workers' time spent in a function that takes 10 ms, with 2 slots",
		}},
		measure: func(ctx context.Context, b *bench, r *rounds) error {
			return busy(ctx, b, r, "busy_10ms", processes, b.size(1000, 200), 10*time.Millisecond)
		},
	}
	busyLong = family{
		rows: []row{{
			"busy_1s", share, "the same with 1 s and 64 slots",
		}},
		measure: func(ctx context.Context, b *bench, r *rounds) error {
			return busy(ctx, b, r, "busy_1s", 64, b.size(5*64, 2*64), time.Second)
		},
	}
)

func busy(ctx context.Context, b *bench, r *rounds, row string, slots, n int, each time.Duration) error {
	return withTeam(ctx, b.rdb, slots/processes, func(s *sleigh.Sleigh) error {
		for r.next() {
			naps, took, err := sleep(ctx, s, slices.Repeat([]time.Duration{each}, n))
			if err != nil {
				return err
			}
			r.add(row, sum(naps).Seconds()/float64(slots)/took.Seconds(), 1)
		}
		return nil
	})
}

// sleep is how long naps took, and all of them together on the team.
func sleep(ctx context.Context, s *sleigh.Sleigh, naps []time.Duration) ([]time.Duration, time.Duration, error) {
	began := time.Now()
	results, err := nap.EachElem(ctx, s, slices.Values(naps), nil)
	took := time.Since(began)
	if err != nil {
		return nil, 0, err
	}
	return results, took, checkNaps(naps, results)
}
