package main

import (
	"context"

	"github.com/netspaces/netspaces/sleigh"
)

// The primes of the demonstration. Trial division takes long enough to be seen, and less than ten seconds on a slow machine. Most
// tests have another limit.
var demoLimit = 10_000_000

const demoChunk = 25_000

// found is how many primes there are in a chunk, and the last one.
type found struct{ Count, Last int }

var countPrimes = sleigh.Register("demo.primes", func(ctx context.Context, first int) (found, error) {
	var f found
	for n := max(first, 2); n < first+demoChunk; n++ {
		if prime(n) {
			f.Count, f.Last = f.Count+1, n
		}
	}
	return f, ctx.Err()
})

func prime(n int) bool {
	if n%2 == 0 {
		return n == 2
	}
	for d := 3; d*d <= n; d += 2 {
		if n%d == 0 {
			return false
		}
	}
	return true
}
