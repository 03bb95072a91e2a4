package main

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// processes is how many workers each side has.
const processes = 2

// nothing is what workers do where they are to do nothing.
var nothing = sleigh.Register("bench.nothing", func(_ context.Context, x int) (int, error) { return x, nil })

// withTeam has f use workers that are there and warm, each with some slots.
func withTeam(ctx context.Context, rdb *redisx.Client, slots int, f func(s *sleigh.Sleigh) error) (err error) {
	s, err := sleigh.Start(ctx, rdb, &sleigh.Options{Launch: sleigh.Local(processes), Slots: slots})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop(context.WithoutCancel(ctx))) }()
	if err := s.Await(ctx, processes); err != nil {
		return err
	}
	if _, err := eachNothing(ctx, s, 10000, nil); err != nil {
		return err
	}
	return f(s)
}

// upTo is the numbers from 0 to n-1.
func upTo(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// checkOrder checks that the results are those of nothing, complete and in order.
func checkOrder(results []int, n int) error {
	if len(results) != n {
		return fmt.Errorf("%d results of %d elements", len(results), n)
	}
	for i, r := range results {
		if r != i {
			return fmt.Errorf("the result of element %d is %d", i, r)
		}
	}
	return nil
}
