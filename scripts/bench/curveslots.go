package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

var curveOfSlots = curve{
	name: "slots", what: "EachElem of tasks of 10 ms, by the number of slots",
	measure: func(ctx context.Context, b *bench) (p panel, err error) {
		p.X, p.Y, p.Rate = "slots", "tasks in a second", true
		const each = 10 * time.Millisecond
		for _, slots := range []int{1, 2, 4, 8, 16, 32, 64} {
			rate, err := napsPerSecond(ctx, b, slots, b.size(300, 50)*slots, each)
			if err != nil {
				return p, err
			}
			p.add("EachElem", float64(slots), rate)
			p.add("as many as can be", float64(slots), float64(slots)/each.Seconds())
		}
		return p, nil
	},
}

func napsPerSecond(ctx context.Context, b *bench, slots, n int, each time.Duration) (rate float64, err error) {
	workers := min(slots, processes)
	s, err := sleigh.Start(ctx, b.rdb, &sleigh.Options{Launch: sleigh.Local(workers), Slots: slots / workers})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Stop(context.WithoutCancel(ctx))) }()
	if err := s.Await(ctx, workers); err != nil {
		return 0, err
	}
	if _, err := eachNothing(ctx, s, 10000, nil); err != nil {
		return 0, err
	}
	_, took, err := sleep(ctx, s, slices.Repeat([]time.Duration{each}, n))
	return float64(n) / took.Seconds(), err
}
