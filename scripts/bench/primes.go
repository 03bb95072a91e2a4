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
		{"primes_speedup", inSeconds, "primes by 2 workers: how many times as fast as one sequential program of the same algorithm; both times are shown"},
		{"primes_vs_goroutines", inSeconds, "the same beside one program with 2 goroutines, which is what the cores can do"},
		{"primes_embedded", inSeconds, "the same with an embedded Redis, beside the real one"},
	},
	measure: func(ctx context.Context, b *bench, r *rounds) error {
		limit := b.size(50_000_000, 20_000_000)
		for r.next() {
			began := time.Now()
			want := append([]int{2}, oddPrimes(3, limit, nil)...)
			alone := time.Since(began)
			if known, n := map[int]int{20_000_000: 1_270_607, 50_000_000: 3_001_134}[limit], len(want); n != known {
				return fmt.Errorf("%d primes below %d, there are %d", n, limit, known)
			}
			two, err := together(limit, want)
			if err != nil {
				return err
			}
			ours, err := primesTime(ctx, b.rdb, limit, want)
			if err != nil {
				return err
			}
			embedded, err := primesEmbedded(ctx, limit, want)
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

func primesEmbedded(ctx context.Context, limit int, want []int) (_ time.Duration, err error) {
	rdb, err := redisx.Open(ctx, "mem://", &redisx.Options{NoNotice: true})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rdb.Close()) }()
	return primesTime(ctx, rdb, limit, want)
}

// primesTime is how long a new team takes, which knows no primes yet.
func primesTime(ctx context.Context, rdb *redisx.Client, limit int, want []int) (took time.Duration, err error) {
	err = withTeam(ctx, rdb, 1, func(s *sleigh.Sleigh) error {
		began := time.Now()
		all, err := primesBelow(ctx, s, limit)
		took = time.Since(began)
		if err == nil && !slices.Equal(all, want) {
			err = fmt.Errorf("%d primes below %d, which are not those of the sequential program", len(all), limit)
		}
		return err
	})
	return took, err
}

// together is how long goroutines take that share the chunks, as many as there are workers.
func together(limit int, want []int) (time.Duration, error) {
	began := time.Now()
	divisors := oddPrimes(3, int(math.Sqrt(float64(limit)))+1, nil)
	chunks := slices.Collect(firsts(limit))
	found := make([][]int, len(chunks))
	var next atomic.Int64
	var all sync.WaitGroup
	for range processes {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(chunks); i = int(next.Add(1)) - 1 {
				found[i] = oddPrimes(chunks[i], min(chunks[i]+primesChunk, limit), divisors)
			}
		})
	}
	all.Wait()
	primes := slices.Concat(append([][]int{{2}}, found...)...)
	took := time.Since(began)
	if !slices.Equal(primes, want) {
		return 0, fmt.Errorf("%d primes below %d by goroutines, which are not those of the sequential program", len(primes), limit)
	}
	return took, nil
}
