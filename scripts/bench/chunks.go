package main

import (
	"context"
	"fmt"
	"iter"

	"github.com/netspaces/netspaces/sleigh"
)

// The algorithm is that of examples/primes, which explains it: chunks of numbers are elements, and workers find those primes
// in the user workspace that they need to divide by. A worker runs one task at a time, so what it knows needs no lock.
// Results are either numbers, as there, or gaps, which cost less to send.

// primesOf is which primes there are to be found, and how many numbers an element has.
type primesOf struct {
	Below int `json:"below"`
	Chunk int `json:"chunk"`
}

const primesChunk = 100_000

var (
	findPrimes = sleigh.Register("bench.primes", primesOfChunk)
	findGaps   = sleigh.Register("bench.gaps", func(ctx context.Context, first int) (gaps, error) {
		primes, err := primesOfChunk(ctx, first)
		return gapsOf(first, primes), err
	})

	asked    primesOf // that this worker knows; zero before its first task
	divisors []int
	known    = 3 // the first number of the chunk whose primes it will need next
)

func (p primesOf) asNumbers(ctx context.Context, s *sleigh.Sleigh) ([]int, error) {
	return accumulate(ctx, s, findPrimes, p, func(all []int, _ int, more []int) []int { return append(all, more...) })
}

func (p primesOf) asGaps(ctx context.Context, s *sleigh.Sleigh) ([]int, error) {
	return accumulate(ctx, s, findGaps, p, func(all []int, first int, more gaps) []int { return more.appendTo(all, first) })
}

func accumulate[R any](
	ctx context.Context, s *sleigh.Sleigh, find sleigh.Func[int, R], p primesOf, add func(all []int, first int, more R) []int,
) ([]int, error) {
	if err := s.User().Store(ctx, "primes", p); err != nil {
		return nil, err
	}
	all := []int{2}
	err := find.Accumulate(ctx, s, p.firsts(), &sleigh.JobOptions{Ordered: true}, func(i int, more R) error {
		all = add(all, 3+i*p.Chunk, more)
		return nil
	})
	return all, err
}

func (p primesOf) firsts() iter.Seq[int] {
	return func(yield func(int) bool) {
		for first := 3; first < p.Below; first += p.Chunk {
			if !yield(first) {
				return
			}
		}
	}
}

func primesOfChunk(ctx context.Context, first int) ([]int, error) {
	user := sleigh.WorkerFrom(ctx).User()
	if asked.Below == 0 {
		if err := user.Find(ctx, "primes", &asked); err != nil {
			return nil, err
		}
	}
	end := min(first+asked.Chunk, asked.Below)
	for known < first && known*known < end {
		var primes []int
		if err := user.Find(ctx, primesVar(known), &primes); err != nil {
			return nil, err
		}
		divisors = append(divisors, primes...)
		known += asked.Chunk
	}
	primes := oddPrimes(first, end, divisors)
	if first*first < asked.Below {
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
