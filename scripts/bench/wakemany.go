package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

// sleepers wait at a time, and goroutines store for them.
const (
	sleepers = 10_000
	storers  = 64
)

var wakeMany = family{
	rows: []row{{
		"wake_10k", inSeconds,
		"10000 blocked fetches of one process, each woken by its own store, beside these stores alone",
	}},
	measure: func(ctx context.Context, b *bench, r *rounds) (err error) {
		w, err := newWaker(ctx, b)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, w.close()) }()
		if _, err := w.storeMany(ctx); err != nil { // not counted
			return err
		}
		if err := w.fetchMany(ctx); err != nil {
			return err
		}
		for r.next() {
			ours, err := w.wakeMany(ctx)
			if err != nil {
				return err
			}
			alone, err := w.storeMany(ctx)
			if err != nil {
				return err
			}
			if err := w.fetchMany(ctx); err != nil {
				return err
			}
			r.addTimes("wake_10k", ours, alone)
		}
		return nil
	},
}

// wakeMany is the time from the first store until the last one is awake.
func (w *waker) wakeMany(ctx context.Context) (time.Duration, error) {
	fetched := make(chan error, 1)
	go func() { fetched <- w.fetchMany(ctx) }()
	for {
		n, err := w.countAwaited(ctx)
		if err != nil {
			return 0, err
		}
		if n == sleepers {
			break
		}
		select {
		case err := <-fetched:
			return 0, errors.Join(errors.New("somebody did not wait"), err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	began := time.Now()
	if _, err := w.storeMany(ctx); err != nil {
		return 0, err
	}
	err := <-fetched
	return time.Since(began), err
}

func (w *waker) countAwaited(ctx context.Context) (int, error) {
	infos, err := w.stores.ListVars(ctx)
	n := 0
	for _, info := range infos {
		n += info.Fetchers
	}
	return n, err
}

// storeMany stores a value for each sleeper.
func (w *waker) storeMany(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	err := fromMany(ctx, sleepers, func(ctx context.Context, i int) error { return w.stores.Store(ctx, bed(i), i) })
	return time.Since(began), err
}

// fetchMany has all sleepers fetch at a time.
func (w *waker) fetchMany(ctx context.Context) error {
	all, ctx := errgroup.WithContext(ctx)
	for i := range sleepers {
		all.Go(func() error {
			got := -1
			if err := w.waits.Fetch(ctx, bed(i), &got); err != nil {
				return err
			}
			if got != i {
				return fmt.Errorf("sleeper %d was woken by %d", i, got)
			}
			return nil
		})
	}
	return all.Wait()
}

// bed is the variable that a sleeper waits for.
func bed(i int) string { return "bed " + strconv.Itoa(i) }
