package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/netspaces/netspaces/workspace"
	"golang.org/x/sync/errgroup"
)

var curveOfVariables = curve{
	name: "variables", what: "Store and Fetch from 64 goroutines, by the number of variables that they are spread over",
	measure: func(ctx context.Context, b *bench) (p panel, err error) {
		p.X, p.Y, p.Affine = "variables", "microseconds", true
		counts := []int{1, 3, 10, 30, 100, 300, 1e3, 3e3, 1e4, 3e4, 1e5}
		for _, variables := range counts[:b.size(len(counts), 9)] {
			if err := b.timeVariables(ctx, &p, variables); err != nil {
				return p, err
			}
		}
		return p, nil
	},
}

func (b *bench) timeVariables(ctx context.Context, p *panel, variables int) (err error) {
	ws, err := workspace.Open(ctx, b.rdb, "variables", nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ws.Close()) }() // which deletes all of them
	names := make([]string, variables)
	for i := range names {
		names[i] = "variables " + strconv.Itoa(i)
	}
	n := max(variables, b.size(20_000, 10_000))
	// The first store into a variable makes it, which is not counted here.
	if err := fromMany(ctx, variables, func(ctx context.Context, i int) error {
		var got int
		return errors.Join(ws.Store(ctx, names[i], i), ws.Fetch(ctx, names[i], &got))
	}); err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		call func(ctx context.Context, i int) error
	}{
		{"Store", func(ctx context.Context, i int) error { return ws.Store(ctx, names[i%variables], i) }},
		{"RPUSH", func(ctx context.Context, i int) error { return b.plain.RPush(ctx, names[i%variables], i).Err() }},
		{"Fetch", func(ctx context.Context, i int) error {
			var got int
			if err := ws.Fetch(ctx, names[i%variables], &got); err != nil {
				return err
			}
			return checkVariable(got, i, variables)
		}},
		{"LPOP", func(ctx context.Context, i int) error {
			got, err := b.plain.LPop(ctx, names[i%variables]).Int()
			if err != nil {
				return err
			}
			return checkVariable(got, i, variables)
		}},
	} {
		began := time.Now()
		if err := fromMany(ctx, n, step.call); err != nil {
			return err
		}
		p.add(step.name, float64(variables), time.Since(began).Seconds()*1e6/float64(n))
	}
	return nil
}

// fromMany has the storers make n calls.
func fromMany(ctx context.Context, n int, call func(ctx context.Context, i int) error) error {
	all, ctx := errgroup.WithContext(ctx)
	for turn := range storers {
		all.Go(func() error {
			for i := turn; i < n; i += storers {
				if err := call(ctx, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return all.Wait()
}

// checkVariable checks that a value was stored into the same variable.
func checkVariable(got, i, variables int) error {
	if got%variables != i%variables {
		return fmt.Errorf("variable %d had the value %d", i%variables, got)
	}
	return nil
}
