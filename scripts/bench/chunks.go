package main

import (
	"context"
	"fmt"
	"iter"

	"github.com/netspaces/netspaces/sleigh"
)

// The algorithm is that of examples/primes, which explains it: chunks of numbers are elements, and workers find those primes
// in the user workspace that they need to divide by. A worker runs one task at a time, so what it knows needs no lock.

const primesChunk = 10_000

var (
	findPrimes = sleigh.Register("bench.primes", primesOfChunk)
	divisors   []int // that this worker knows
	known      = 3   // the first number of the chunk whose primes it will need next
	below      int   // the limit, or 0 before its first task
)

func primesBelow(ctx context.Context, s *sleigh.Sleigh, limit int) ([]int, error) {
	if err := s.User().Store(ctx, "limit", limit); err != nil {
		return nil, err
	}
	all := []int{2}
	err := findPrimes.Accumulate(ctx, s, firsts(limit), &sleigh.JobOptions{Ordered: true}, func(_ int, more []int) error {
		all = append(all, more...)
		return nil
	})
	return all, err
}

func firsts(limit int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for first := 3; first < limit; first += primesChunk {
			if !yield(first) {
				return
			}
		}
	}
}

func primesOfChunk(ctx context.Context, first int) ([]int, error) {
	user := sleigh.WorkerFrom(ctx).User()
	if below == 0 {
		if err := user.Find(ctx, "limit", &below); err != nil {
			return nil, err
		}
	}
	end := min(first+primesChunk, below)
	for known < first && known*known < end {
		var primes []int
		if err := user.Find(ctx, primesVar(known), &primes); err != nil {
			return nil, err
		}
		divisors = append(divisors, primes...)
		known += primesChunk
	}
	primes := oddPrimes(first, end, divisors)
	if first*first < below {
		if err := user.Store(ctx, primesVar(first), primes); err != nil {
			return nil, err
		}
	}
	return primes, nil
}

func primesVar(first int) string { return fmt.Sprint("primes", first) }

// oddPrimes returns the primes among the odd numbers from first on that are below end. For the first chunk, and where there is
// one only, the divisors are those found so far.
func oddPrimes(first, end int, divisors []int) []int {
	primes := []int{}
	for n := first; n < end; n += 2 {
		if first == 3 {
			divisors = primes
		}
		if isPrime(n, divisors) {
			primes = append(primes, n)
		}
	}
	return primes
}

func isPrime(n int, divisors []int) bool {
	for _, d := range divisors {
		if d*d > n {
			return true
		}
		if n%d == 0 {
			return false
		}
	}
	return true
}
