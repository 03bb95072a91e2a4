package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

var primes = family{
	rows: []row{
		{"primes_speedup", inSeconds, "primes by 2 workers: how many times as fast as one sequential program of the same algorithm; results as gaps of one byte"},
		{"primes_vs_goroutines", inSeconds, "the same beside one program with 2 goroutines, which is what the cores can do"},
		{"primes_embedded", inSeconds, "the same with an embedded Redis, beside the real one"},
	},
	measure: func(ctx context.Context, b *bench, r *rounds) error {
		p := primesOf{Below: b.size(50_000_000, 20_000_000), Chunk: primesChunk}
		for r.next() {
			want, alone, err := p.alone()
			if err != nil {
				return err
			}
			two, err := p.together(want)
			if err != nil {
				return err
			}
			ours, err := primesTime(ctx, b.rdb, p.asGaps, want)
			if err != nil {
				return err
			}
			embedded, err := primesEmbedded(ctx, p.asGaps, want)
			if err != nil {
				return err
			}
			r.addSpeedup("primes_speedup", ours, alone)
			r.addSpeedup("primes_vs_goroutines", ours, two)
			r.addSpeedup("primes_embedded", embedded, ours)
		}
		return nil
	},
}

// findAll has a team find all primes.
type findAll func(ctx context.Context, s *sleigh.Sleigh) ([]int, error)

func primesEmbedded(ctx context.Context, find findAll, want []int) (_ time.Duration, err error) {
	rdb, err := redisx.Open(ctx, "mem://", &redisx.Options{NoNotice: true})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rdb.Close()) }()
	return primesTime(ctx, rdb, find, want)
}

// primesTime is how long a new team takes, which knows no primes yet.
func primesTime(ctx context.Context, rdb *redisx.Client, find findAll, want []int) (took time.Duration, err error) {
	err = withTeam(ctx, rdb, 1, func(s *sleigh.Sleigh) error {
		began := time.Now()
		all, err := find(ctx, s)
		took = time.Since(began)
		if err == nil && !slices.Equal(all, want) {
			err = fmt.Errorf("%d primes, which are not those of the sequential program", len(all))
		}
		return err
	})
	return took, err
}

// alone is the sequential program, and how long it takes.
func (p primesOf) alone() ([]int, time.Duration, error) {
	began := time.Now()
	all := append([]int{2}, oddPrimes(3, p.Below, nil)...)
	took := time.Since(began)
	if n := map[int]int{20_000_000: 1_270_607, 50_000_000: 3_001_134}[p.Below]; len(all) != n {
		return nil, 0, fmt.Errorf("%d primes below %d, there are %d", len(all), p.Below, n)
	}
	return all, took, nil
}

// together is how long goroutines take that share the chunks, as many as there are workers.
func (p primesOf) together(want []int) (time.Duration, error) {
	began := time.Now()
	divisors := oddPrimes(3, int(math.Sqrt(float64(p.Below)))+1, nil)
	chunks := slices.Collect(p.firsts())
	found := make([][]int, len(chunks))
	var next atomic.Int64
	var all sync.WaitGroup
	for range processes {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(chunks); i = int(next.Add(1)) - 1 {
				found[i] = oddPrimes(chunks[i], min(chunks[i]+p.Chunk, p.Below), divisors)
			}
		})
	}
	all.Wait()
	primes := slices.Concat(append([][]int{{2}}, found...)...)
	took := time.Since(began)
	if !slices.Equal(primes, want) {
		return 0, fmt.Errorf("%d primes by goroutines, which are not those of the sequential program", len(primes))
	}
	return took, nil
}
