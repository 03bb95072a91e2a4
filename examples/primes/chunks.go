package main

import "iter"

// oddPrimes returns the primes among the odd numbers from first on that are below end. The divisors are the odd primes
// in order, at least to the root of end; for the first chunk, which begins with 3, they are those found so far.
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

// firsts are the first numbers of the chunks, in order; a chunk is the odd numbers from there to its end.
func (p parameters) firsts() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range p.tasks() {
			if !yield(3 + i*p.Chunk) {
				return
			}
		}
	}
}

// tasks is the number of chunks.
func (p parameters) tasks() int {
	if p.Limit <= 3 {
		return 0
	}
	return 1 + (p.Limit-4)/p.Chunk
}

// end is the number before which the chunk that begins with first ends.
func (p parameters) end(first int) int { return first + min(p.Chunk, p.Limit-first) }

// squareBelow tells whether n² < end, also where n² is too large for an int.
func squareBelow(n, end int) bool { return n <= (end-1)/n }
