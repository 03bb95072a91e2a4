package main

import (
	"context"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// In their order these naps can be slept within 2 % of the lower bound, which not all can: a long one may come last.
const (
	unevenNaps   = 1000
	fewerNaps    = 490 // under --quick
	unevenSlots  = 8
	unevenMiddle = 20 * time.Millisecond
)

var uneven = family{
	rows: []row{{
		"uneven", inSeconds,
		"log-normal times, 8 slots: the time for all, beside the lower bound max(total/slots, longest)",
	}},
	measure: func(ctx context.Context, b *bench, r *rounds) error {
		naps := logNormal(b.size(unevenNaps, fewerNaps), unevenMiddle, 1)
		return withTeam(ctx, b.rdb, unevenSlots/processes, func(s *sleigh.Sleigh) error {
			for r.next() {
				took, all, err := sleep(ctx, s, naps)
				if err != nil {
					return err
				}
				r.addTimes("uneven", all, lowerBound(took, unevenSlots))
			}
			return nil
		})
	},
}
