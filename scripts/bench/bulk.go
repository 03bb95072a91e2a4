package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

var bulk = family{
	rows: []row{
		{"bulk_vs_raw", perSecond, "StoreAll or iteration of 100 B values, whichever is worse, beside RPUSH and LRANGE of 1000 at a time"},
		{"bulk_store_vs_raw", perSecond, "StoreAll alone"},
		{"bulk_iterate_vs_raw", perSecond, "iteration (IFind) alone"},
	},
	measure: func(ctx context.Context, b *bench, r *rounds) (err error) {
		ws, err := workspace.Open(ctx, b.rdb, "bulk", nil)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, ws.Close()) }()
		n := b.size(500_000, 100_000)
		values := make([]any, n)
		for i := range values {
			values[i] = value
		}
		if _, err := bulkOnce(ctx, b, ws, values[:n/10]); err != nil { // not counted
			return err
		}
		for r.next() {
			took, err := bulkOnce(ctx, b, ws, values)
			if err != nil {
				return err
			}
			r.addRates("bulk_store_vs_raw", n, took.store, took.push)
			r.addRates("bulk_iterate_vs_raw", n, took.iterate, took.read)
			r.addWorse("bulk_vs_raw", "bulk_store_vs_raw", "bulk_iterate_vs_raw")
		}
		return nil
	},
}

// bulkBatch is how many values plain commands have at a time, which is as many as ours have.
const bulkBatch = 1000

// bulkTimes is how long it took for all values.
type bulkTimes struct{ store, push, iterate, read time.Duration }

func bulkOnce(ctx context.Context, b *bench, ws *workspace.Workspace, values []any) (took bulkTimes, err error) {
	watch := &stopwatch{last: time.Now()}
	if err := ws.StoreAll(ctx, "bulk", values...); err != nil {
		return took, err
	}
	took.store = watch.lap()
	for from := 0; from < len(values); from += bulkBatch {
		if err := b.plain.RPush(ctx, "bulk", values[from:min(from+bulkBatch, len(values))]...).Err(); err != nil {
			return took, err
		}
	}
	took.push = watch.lap()
	n := 0
	for got, err := range workspace.NewVar[[]byte](ws, "bulk").IFind().Try(ctx) {
		if err := errors.Join(err, checkValue(got)); err != nil {
			return took, err
		}
		n++
	}
	took.iterate = watch.lap()
	m := 0
	for more := true; more; {
		some, err := b.plain.LRange(ctx, "bulk", int64(m), int64(m+bulkBatch-1)).Result()
		if err != nil {
			return took, err
		}
		for _, got := range some {
			if err := checkValue([]byte(got)); err != nil {
				return took, err
			}
		}
		m += len(some)
		more = len(some) == bulkBatch
	}
	took.read = watch.lap()
	if n != len(values) || m != len(values) {
		return took, fmt.Errorf("of %d values, iteration gave %d and LRANGE %d", len(values), n, m)
	}
	return took, errors.Join(ws.DeleteVar(ctx, "bulk"), b.plain.Del(ctx, "bulk").Err())
}

// stopwatch tells the time between two laps.
type stopwatch struct{ last time.Time }

func (w *stopwatch) lap() time.Duration {
	now := time.Now()
	defer func() { w.last = now }()
	return now.Sub(w.last)
}
