package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/netspaces/netspaces/sleigh"
	"golang.org/x/sync/errgroup"
)

const masters = 3

var shards = study{
	name: "shards", what: "several sleighs over the masters of a cluster, each with one worker process: the CPU time of these masters",
	measure: func(ctx context.Context, b *bench) (_ *sheet, err error) {
		c, err := startCluster(ctx, masters)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, c.close()) }()
		s := &sheet{Columns: []string{"work", "sleighs"}}
		for i := range masters {
			s.Columns = append(s.Columns, fmt.Sprintf("master %d: CPU per element", i+1))
		}
		s.Columns = append(s.Columns, "share of the busiest")
		for _, work := range []struct {
			name  string
			slots int
			n     int
			run   func(s *sleigh.Sleigh, n int) error
		}{
			{"10 ms, 16 slots each", 16, b.size(8000, 1000), func(s *sleigh.Sleigh, n int) error {
				_, _, err := sleep(ctx, s, slices.Repeat([]time.Duration{10 * time.Millisecond}, n))
				return err
			}},
			{"nothing, 1 slot each", 1, b.size(1_000_000, 200_000), func(s *sleigh.Sleigh, n int) error {
				_, err := eachNothing(ctx, s, n, nil)
				return err
			}},
		} {
			for sleighs := range masters {
				used, err := c.cpuOfSleighs(ctx, sleighs+1, work.slots, func(s *sleigh.Sleigh) error { return work.run(s, work.n) })
				if err != nil {
					return nil, err
				}
				cells := []string{work.name, strconv.Itoa(sleighs + 1)}
				for i, cpu := range used {
					if i > sleighs {
						cells = append(cells, "–")
						continue
					}
					cells = append(cells, short(cpu/time.Duration(work.n)))
				}
				total := sum(used)
				s.add(append(cells, fmt.Sprintf("%.0f %%", 100*slices.Max(used).Seconds()/total.Seconds()))...)
			}
		}
		return s, nil
	},
}

// cpuOfSleighs is what each master uses while some sleighs, each on another one, do the same.
func (c *cluster) cpuOfSleighs(ctx context.Context, n, slots int, run func(s *sleigh.Sleigh) error) (used []time.Duration, err error) {
	var sleighs []*sleigh.Sleigh
	defer func() {
		for _, s := range sleighs {
			err = errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
		}
	}()
	for i := range n {
		name, err := c.nameOn(ctx, i)
		if err != nil {
			return nil, err
		}
		s, err := sleigh.Start(ctx, c.rdb, &sleigh.Options{Name: name, Launch: sleigh.Local(1), Slots: slots})
		if err != nil {
			return nil, err
		}
		sleighs = append(sleighs, s)
		if err := s.Await(ctx, 1); err != nil {
			return nil, err
		}
		if _, err := eachNothing(ctx, s, 10000, nil); err != nil {
			return nil, err
		}
	}
	before, err := c.cpu(ctx)
	if err != nil {
		return nil, err
	}
	var all errgroup.Group
	for _, s := range sleighs {
		all.Go(func() error { return run(s) })
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	after, err := c.cpu(ctx)
	for i := range after {
		used = append(used, after[i]-before[i])
	}
	return used, err
}

func (c *cluster) cpu(ctx context.Context) (used []time.Duration, err error) {
	for _, node := range c.nodes {
		cpu, err := cpuOf(ctx, node)
		if err != nil {
			return nil, err
		}
		used = append(used, cpu)
	}
	return used, nil
}
