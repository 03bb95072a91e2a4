package main

import (
	"context"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

var eachTiny = family{
	rows: []row{
		{
			"each_vs_unsafe", perSecond,
			"EachElem of a function that does nothing, default options, beside Go by hand with batches of 1000 and no safety",
		},
		{"each_vs_asynq", perSecond, "the same beside asynq"},
	},
	measure: func(ctx context.Context, b *bench, r *rounds) error {
		const n = 1_000_000
		hand, err := startUnsafe(ctx, b)
		if err != nil {
			return err
		}
		defer hand.crew.end()
		a := newAsynq(b)
		defer a.close()
		return withTeam(ctx, b.rdb, 1, func(s *sleigh.Sleigh) error {
			for r.next() {
				ours, err := eachNothing(ctx, s, n, nil)
				if err != nil {
					return err
				}
				byHand, err := hand.each(ctx, n)
				if err != nil {
					return err
				}
				theirs, err := a.each(ctx)
				if err != nil {
					return err
				}
				r.addRates("each_vs_unsafe", n, ours, byHand)
				r.add("each_vs_asynq", n/ours.Seconds(), theirs)
			}
			return nil
		})
	},
}

// eachNothing is how long EachElem takes for n elements.
func eachNothing(ctx context.Context, s *sleigh.Sleigh, n int, o *sleigh.JobOptions) (time.Duration, error) {
	began := time.Now()
	results, err := nothing.EachElem(ctx, s, upTo(n), o)
	took := time.Since(began)
	if err != nil {
		return 0, err
	}
	return took, checkOrder(results, n)
}
