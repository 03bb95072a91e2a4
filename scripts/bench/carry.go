package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// busyRedis is the share of a core that Redis may use for the number of workers that it carries: it runs scripts on one core
// only, and who calls it waits longer, the less of that is left.
const busyRedis = 0.7

var carry = study{
	name: "carry", what: "how many workers one Redis carries, by its CPU time: workers of one slot, default options",
	measure: func(ctx context.Context, b *bench) (*sheet, error) {
		s := &sheet{Columns: []string{
			"a function takes", "workers", "elements/s", "Redis CPU per element", "per idle worker and s", "workers at 70 % of a core", "elements/s then",
		}}
		// As many workers as two cores start soon, each a process with connections of its own.
		err := b.withIdle(ctx, sleigh.Local(b.size(40, 10)), func(team *sleigh.Sleigh, workers int, idle float64) error {
			for _, each := range []time.Duration{10 * time.Millisecond, 100 * time.Millisecond, time.Second} {
				n := int(b.napsFor().Seconds() / each.Seconds() * float64(workers))
				var took time.Duration
				used, err := cpuDuring(ctx, b.plain, func() (err error) {
					_, took, err = sleep(ctx, team, slices.Repeat([]time.Duration{each}, n))
					return err
				})
				if err != nil {
					return err
				}
				perElement := (used.Seconds() - idle*float64(workers)*took.Seconds()) / float64(n)
				carried := busyRedis / (idle + perElement/each.Seconds())
				s.add(short(each), strconv.Itoa(workers), fmt.Sprintf("%.0f", float64(n)/took.Seconds()), inSeconds.format(perElement),
					inSeconds.format(idle), round(carried), round(carried/each.Seconds()))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		err = b.withIdle(ctx, sleigh.InProcess(b.size(1000, 100)), func(_ *sleigh.Sleigh, workers int, idle float64) error {
			s.add("none: goroutines of one process", strconv.Itoa(workers), "–", "–", inSeconds.format(idle), round(busyRedis/idle), "–")
			return nil
		})
		return s, err
	},
}

func (b *bench) napsFor() time.Duration { return time.Duration(b.size(8, 2)) * time.Second }

// withIdle has f use a team that is there, and tells it the CPU time of Redis for each second of a worker that does nothing.
func (b *bench) withIdle(ctx context.Context, launch sleigh.Launcher, f func(s *sleigh.Sleigh, workers int, idle float64) error) (err error) {
	s, err := sleigh.Start(ctx, b.rdb, &sleigh.Options{Launch: launch})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop(context.WithoutCancel(ctx))) }()
	workers := s.Workers()
	if err := s.Await(ctx, workers); err != nil {
		return err
	}
	if _, err := eachNothing(ctx, s, 10000, nil); err != nil {
		return err
	}
	idleFor := time.Duration(b.size(20, 3)) * time.Second // two leases, in each of which a worker gives three signs of life
	used, err := cpuDuring(ctx, b.plain, func() error {
		select {
		case <-time.After(idleFor):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if err != nil {
		return err
	}
	return f(s, workers, used.Seconds()/idleFor.Seconds()/float64(workers))
}

// round gives two digits.
func round(x float64) string {
	unit := 1.0
	for x/unit >= 100 {
		unit *= 10
	}
	return fmt.Sprintf("%.0f", float64(int(x/unit+0.5))*unit)
}
