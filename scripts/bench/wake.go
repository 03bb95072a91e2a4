package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

var wake = family{
	rows: []row{
		{"wake_vs_blpop", inSeconds, "from a store to the return of a blocked find or fetch, whichever is slower, median, beside BLPOP"},
		{"wake_find_vs_blpop", inSeconds, "the same of find"},
		{"wake_fetch_vs_blpop", inSeconds, "the same of fetch"},
	},
	measure: func(ctx context.Context, b *bench, r *rounds) (err error) {
		w, err := newWaker(ctx, b)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, w.close()) }()
		for r.next() {
			var finds, fetches, pops []time.Duration
			const warm = 20
			for i := range warm + b.size(1000, 100) {
				find, err := w.find(ctx)
				if err != nil {
					return err
				}
				fetch, err := w.fetch(ctx)
				if err != nil {
					return err
				}
				pop, err := w.pop(ctx)
				if err != nil {
					return err
				}
				if i >= warm {
					finds, fetches, pops = append(finds, find), append(fetches, fetch), append(pops, pop)
				}
			}
			pop := quantile(pops, 0.5)
			r.addTimes("wake_find_vs_blpop", quantile(finds, 0.5), pop)
			r.addTimes("wake_fetch_vs_blpop", quantile(fetches, 0.5), pop)
			r.addWorse("wake_vs_blpop", "wake_find_vs_blpop", "wake_fetch_vs_blpop")
		}
		return nil
	},
}

// waker stores for somebody who waits. Both are in this process, with connections of their own.
type waker struct {
	*bench
	other  *redisx.Client
	waits  *workspace.Workspace
	stores *workspace.Workspace // the same one
}

func newWaker(ctx context.Context, b *bench) (*waker, error) {
	other, err := redisx.Open(ctx, "redis://"+b.addr, nil)
	if err != nil {
		return nil, err
	}
	w := &waker{bench: b, other: other}
	if w.waits, err = workspace.Open(ctx, b.rdb, "wake", nil); err != nil {
		return nil, errors.Join(err, other.Close())
	}
	if w.stores, err = workspace.Use(ctx, other, "wake", false); err != nil {
		return nil, errors.Join(err, w.waits.Close(), other.Close())
	}
	return w, nil
}

func (w *waker) close() error {
	return errors.Join(w.stores.Close(), w.waits.Close(), w.other.Close())
}

func (w *waker) find(ctx context.Context) (time.Duration, error) {
	var got []byte
	took, err := woken(ctx, func() error { return w.waits.Find(ctx, "find", &got) },
		func() (bool, error) { return w.isAwaited(ctx, "find") },
		func() error { return w.stores.Store(ctx, "find", []byte("x")) })
	if err != nil {
		return 0, err
	}
	if err := w.waits.Fetch(ctx, "find", &got); err != nil { // the next one is to wait
		return 0, err
	}
	return took, checkWoken(got)
}

func (w *waker) fetch(ctx context.Context) (time.Duration, error) {
	var got []byte
	took, err := woken(ctx, func() error { return w.waits.Fetch(ctx, "fetch", &got) },
		func() (bool, error) { return w.isAwaited(ctx, "fetch") },
		func() error { return w.stores.Store(ctx, "fetch", []byte("x")) })
	if err != nil {
		return 0, err
	}
	return took, checkWoken(got)
}

func (w *waker) pop(ctx context.Context) (time.Duration, error) {
	var got []string
	took, err := woken(ctx, func() (err error) {
		got, err = w.plain.BLPop(ctx, time.Minute, "pop").Result()
		return err
	}, func() (bool, error) {
		clients, err := w.plain.Info(ctx, "clients").Result()
		return strings.Contains(clients, "blocked_clients:1\r"), err
	}, func() error { return w.plain.RPush(ctx, "pop", "x").Err() })
	if err != nil {
		return 0, err
	}
	return took, checkWoken([]byte(got[1]))
}

func checkWoken(got []byte) error {
	if string(got) != "x" {
		return fmt.Errorf("somebody was woken by %q", got)
	}
	return nil
}

func (w *waker) isAwaited(ctx context.Context, variable string) (bool, error) {
	infos, err := w.stores.DescribeVars(ctx, variable)
	return len(infos) == 1 && infos[0].Fetchers+infos[0].Finders == 1, err
}

// woken is the time from the beginning of store to the return of wait, which has begun to wait before.
func woken(ctx context.Context, wait func() error, waits func() (bool, error), store func() error) (time.Duration, error) {
	var awake time.Time
	done := make(chan error, 1)
	go func() {
		err := wait()
		awake = time.Now()
		done <- err
	}()
	for {
		there, err := waits()
		if err != nil {
			return 0, err
		}
		if there {
			break
		}
		time.Sleep(100 * time.Microsecond)
	}
	began := time.Now()
	if err := store(); err != nil {
		return 0, err
	}
	select {
	case err := <-done:
		return awake.Sub(began), err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
