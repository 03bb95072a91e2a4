package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// sieve returns the primes below limit in the way of Eratosthenes.
func sieve(limit int) []int {
	var primes []int
	composite := make([]bool, max(limit, 2))
	for n := 2; n < limit; n++ {
		if composite[n] {
			continue
		}
		primes = append(primes, n)
		for m := n * n; m < limit; m += n {
			composite[m] = true
		}
	}
	return primes
}

// The chunks hold each odd number once, and a task's divisors come from chunks before it that their own tasks store.
func TestChunks(t *testing.T) {
	for limit := range 500 {
		for chunk := 2; chunk <= limit+4; chunk += 2 {
			p := parameters{Limit: limit, Chunk: chunk}
			next := 3
			firsts := slices.Collect(p.firsts())
			for _, first := range firsts {
				if first != next || p.end(first) <= first || p.end(first) > limit {
					t.Fatalf("limit %d, chunk %d: the chunk at %d ends at %d", limit, chunk, first, p.end(first))
				}
				for known := 3; known < first; known += chunk {
					if squareBelow(known, p.end(first)) && !squareBelow(known, limit) {
						t.Fatalf("limit %d, chunk %d: the chunk at %d needs that at %d, which is not stored",
							limit, chunk, first, known)
					}
				}
				next = first + chunk
			}
			if next < limit {
				t.Fatalf("limit %d, chunk %d: no chunk at %d", limit, chunk, next)
			}
			if len(firsts) != p.tasks() {
				t.Fatalf("limit %d, chunk %d: %d chunks, %d tasks", limit, chunk, len(firsts), p.tasks())
			}
		}
	}
}

// No sum or square overflows for numbers that no computer gets to.
func TestHugeNumbers(t *testing.T) {
	p := parameters{Limit: math.MaxInt, Chunk: math.MaxInt - 1}
	if got := p.tasks(); got != 1 {
		t.Errorf("%d tasks", got)
	}
	if got := p.end(3); got != math.MaxInt {
		t.Errorf("the chunk at 3 ends at %d", got)
	}
	if squareBelow(math.MaxInt/2, math.MaxInt) || !squareBelow(3, 10) || squareBelow(3, 9) {
		t.Error("squareBelow is wrong")
	}
}

func TestOddPrimes(t *testing.T) {
	primes := sieve(30000)[1:]
	below := func(n int) int { i, _ := slices.BinarySearch(primes, n); return i }
	for _, first := range []int{3, 5, 7, 9, 11, 999, 2209, 9973} {
		for _, end := range []int{first + 1, first + 2, first + 9, first + 50, first + 2000, first + 20000} {
			divisors := primes[:below(min(first, 1000))]
			if first < 175 && first > 3 {
				// A chunk that begins that early and is so long exists only as the first one.
				end = min(end, first*first)
			}
			got, want := oddPrimes(first, end, divisors), primes[below(first):below(end)]
			if !slices.Equal(got, want) {
				t.Errorf("from %d to %d: got %v, want %v", first, end, got, want)
			}
		}
	}
}

func startSleigh(t *testing.T, url string, launch sleigh.Launcher) *sleigh.Sleigh {
	t.Helper()
	rdb, err := redisx.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sleigh.Start(t.Context(), rdb, &sleigh.Options{Launch: launch})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's own context has ended by now.
		if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		if err := rdb.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Whatever the limit and the chunks are, the workers find what a sieve finds.
func TestAgainstSieve(t *testing.T) {
	chunks := []int{4, 64, 20000}
	if os.Getenv("NETSPACES_ALL") == "1" {
		chunks = []int{2, 4, 10, 64, 1000, 20000}
	}
	for _, limit := range []int{0, 1, 2, 3, 4, 5, 8, 9, 10, 25, 26, 27, 120, 121, 122, 1000, 10007} {
		for _, chunk := range chunks {
			if limit/chunk > 600 {
				continue
			}
			t.Run(fmt.Sprintf("%d by %d", limit, chunk), func(t *testing.T) {
				t.Parallel()
				s := startSleigh(t, "", sleigh.InProcess(3))
				got, err := primesBelow(t.Context(), s, parameters{limit, chunk}, nil)
				if want := sieve(limit); err != nil || !slices.Equal(got, want) {
					t.Errorf("got %v, %v, want %v", got, err, want)
				}
			})
		}
	}
}

// Two sleighs with different parameters in one process do not mix up what their workers remember.
func TestTwoInOneProcess(t *testing.T) {
	var wg sync.WaitGroup
	for _, p := range []parameters{{Limit: 20000, Chunk: 100}, {Limit: 30000, Chunk: 38}} {
		s := startSleigh(t, "", sleigh.InProcess(2))
		wg.Go(func() {
			got, err := primesBelow(t.Context(), s, p, nil)
			if err != nil || !slices.Equal(got, sieve(p.Limit)) {
				t.Errorf("%+v: %d primes, %v", p, len(got), err)
			}
		})
	}
	wg.Wait()
}

// onDone tells of each chunk, in the end of all.
func TestOnDone(t *testing.T) {
	var last atomic.Int64
	p := parameters{Limit: 10000, Chunk: 50}
	s := startSleigh(t, "", sleigh.InProcess(2))
	_, err := primesBelow(t.Context(), s, p, func(done int) {
		if int64(done) < last.Swap(int64(done)) {
			t.Errorf("%d done after more", done)
		}
	})
	if err != nil || int(last.Load()) != p.tasks() {
		t.Errorf("%d of %d chunks done, %v", last.Load(), p.tasks(), err)
	}
}
