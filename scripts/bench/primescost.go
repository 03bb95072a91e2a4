package main

import (
	"context"
	"fmt"
	"time"
)

// primesCost says where the time of primes_speedup goes. What is beyond that of the sequential program is the cost of a team,
// and both cores have to share it.
var primesCost = study{
	name: "primes", what: "primes by 2 workers: CPU time of all that take part, by the size of chunks and the form of results",
	measure: func(ctx context.Context, b *bench) (*sheet, error) {
		s := &sheet{Columns: []string{"chunk", "results", "time", "speedup", "workers' CPU", "master's", "Redis'"}}
		below := b.size(50_000_000, 20_000_000)
		p := primesOf{Below: below, Chunk: primesChunk}
		before := cpuOfSelf()
		want, alone, err := p.alone()
		if err != nil {
			return nil, err
		}
		s.add("–", "one sequential program", short(alone), "1.00", "–", short(cpuOfSelf()-before), "–")
		for _, c := range []struct {
			chunk   int
			results string
		}{{1_000, "gaps"}, {10_000, "gaps"}, {100_000, "gaps"}, {100_000, "numbers"}} {
			p := primesOf{Below: below, Chunk: c.chunk}
			find := p.asGaps
			if c.results == "numbers" {
				find = p.asNumbers
			}
			var took time.Duration
			self, workers := cpuOfSelf(), cpuOfChildren()
			used, err := cpuDuring(ctx, b.plain, func() (err error) {
				took, err = primesTime(ctx, b.rdb, find, want)
				return err
			})
			if err != nil {
				return nil, err
			}
			s.add(fmt.Sprint(c.chunk), c.results, short(took), fmt.Sprintf("%.2f", alone.Seconds()/took.Seconds()),
				short(cpuOfChildren()-workers), short(cpuOfSelf()-self), short(used))
		}
		return s, nil
	},
}
