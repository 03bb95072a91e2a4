package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/netspaces/netspaces/workspace"
	"golang.org/x/sync/errgroup"
)

// value is 100 bytes, which are stored as they are.
var value = bytes.Repeat([]byte("x"), 100)

var (
	manyVerbs = verbs(64, 8_000, "with 64 goroutines, beside %s by go-redis from as many")
	oneVerbs  = verbs(1, 1_500, "with one goroutine, beside %s by go-redis")
)

// verbs are rows of Store and Fetch by some goroutines.
func verbs(goroutines, calls int, how string) family {
	stores, fetches := fmt.Sprintf("store%d_vs_raw", goroutines), fmt.Sprintf("fetch%d_vs_raw", goroutines)
	return family{
		rows: []row{
			{stores, perSecond, fmt.Sprintf("Store of 100 B "+how, "RPUSH")},
			{fetches, perSecond, fmt.Sprintf("Fetch of 100 B "+how, "LPOP")},
		},
		measure: func(ctx context.Context, b *bench, r *rounds) (err error) {
			ws, err := workspace.Open(ctx, b.rdb, "verbs", nil)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, ws.Close()) }()
			n := b.size(10*calls, calls)
			c := &callers{goroutines: goroutines, b: b, ws: ws}
			if _, err := c.all(ctx, n/10); err != nil { // not counted
				return err
			}
			for r.next() {
				took, err := c.all(ctx, n)
				if err != nil {
					return err
				}
				r.addRates(stores, n, took.store, took.push)
				r.addRates(fetches, n, took.fetch, took.pop)
			}
			return nil
		},
	}
}

// callers are goroutines that call the same, n times together.
type callers struct {
	goroutines int
	b          *bench
	ws         *workspace.Workspace
}

// verbTimes is how long calls took.
type verbTimes struct{ store, push, fetch, pop time.Duration }

func (c *callers) all(ctx context.Context, n int) (took verbTimes, err error) {
	for _, step := range []struct {
		took  *time.Duration
		call  func(ctx context.Context) error
		count func(ctx context.Context) (int, error)
		left  int
	}{
		{&took.store, c.store, c.stored, n},
		{&took.push, c.push, c.pushed, n},
		{&took.fetch, c.fetch, c.stored, 0},
		{&took.pop, c.pop, c.pushed, 0},
	} {
		if *step.took, err = c.time(ctx, n, step.call); err != nil {
			return took, err
		}
		if left, err := step.count(ctx); err != nil || left != step.left {
			return took, errors.Join(fmt.Errorf("there are %d values, %d should be", left, step.left), err)
		}
	}
	return took, nil
}

func (c *callers) time(ctx context.Context, n int, call func(ctx context.Context) error) (time.Duration, error) {
	began := time.Now()
	all, ctx := errgroup.WithContext(ctx)
	for turn := range c.goroutines {
		all.Go(func() error {
			for i := turn; i < n; i += c.goroutines {
				if err := call(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := all.Wait()
	return time.Since(began), err
}

func (c *callers) store(ctx context.Context) error { return c.ws.Store(ctx, "raw", value) }

func (c *callers) fetch(ctx context.Context) error {
	var got []byte
	if err := c.ws.Fetch(ctx, "raw", &got); err != nil {
		return err
	}
	return checkValue(got)
}

func (c *callers) push(ctx context.Context) error { return c.b.plain.RPush(ctx, "raw", value).Err() }

func (c *callers) pop(ctx context.Context) error {
	got, err := c.b.plain.LPop(ctx, "raw").Bytes()
	if err != nil {
		return err
	}
	return checkValue(got)
}

func (c *callers) stored(ctx context.Context) (int, error) { return count(ctx, c.ws, "raw") }

func (c *callers) pushed(ctx context.Context) (int, error) {
	n, err := c.b.plain.LLen(ctx, "raw").Result()
	return int(n), err
}

// count is how many values a variable has.
func count(ctx context.Context, ws *workspace.Workspace, variable string) (int, error) {
	infos, err := ws.DescribeVars(ctx, variable)
	if err != nil || len(infos) == 0 {
		return 0, err
	}
	return infos[0].Values, nil
}

func checkValue(got []byte) error {
	if !bytes.Equal(got, value) {
		return fmt.Errorf("a value is %.20q, of %d bytes", got, len(got))
	}
	return nil
}
