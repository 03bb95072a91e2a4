package main

import (
	"context"

	"github.com/netspaces/netspaces/sleigh"
)

var curveOfElements = curve{
	name: "elements", what: "EachElem of a function that does nothing, by the number of elements",
	measure: func(ctx context.Context, b *bench) (p panel, err error) {
		p.X, p.Y = "elements", "seconds"
		sizes := []int{1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7}
		sizes = sizes[:b.size(len(sizes), 4)]
		hand, err := startUnsafe(ctx, b)
		if err != nil {
			return p, err
		}
		defer hand.crew.end()
		err = withTeam(ctx, b.rdb, 1, func(s *sleigh.Sleigh) error {
			for _, n := range sizes {
				ours, theirs, times := 0.0, 0.0, max(1, 200_000/n) // what takes milliseconds is done some times
				for range times {
					took, err := eachNothing(ctx, s, n, nil)
					if err != nil {
						return err
					}
					ours += took.Seconds()
					if took, err = hand.each(ctx, n); err != nil {
						return err
					}
					theirs += took.Seconds()
				}
				p.add("EachElem", float64(n), ours/float64(times))
				p.add("by hand, unsafe", float64(n), theirs/float64(times))
			}
			return nil
		})
		return p, err
	},
}
