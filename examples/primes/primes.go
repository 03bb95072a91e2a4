package main

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/netspaces/netspaces/sleigh"
)

// A worker is the same program, and knows these functions by their names.
var (
	readParameters = sleigh.Register("primes.readParameters", func(ctx context.Context, _ struct{}) (struct{}, error) {
		_, err := recall(ctx)
		return struct{}{}, err
	})
	findPrimes = sleigh.Register("primes.findPrimes", primesOfChunk)
)

// parameters are what the master tells its workers through a variable of the user workspace.
type parameters struct {
	Limit int `json:"limit"`
	Chunk int `json:"chunk"`
}

// primesBelow computes the primes below the limit on the workers of s. It tells onDone how many chunks are done.
func primesBelow(ctx context.Context, s *sleigh.Sleigh, p parameters, onDone func(done int)) ([]int, error) {
	if err := s.User().Store(ctx, "parameters", p); err != nil {
		return nil, err
	}
	if _, err := readParameters.EachWorker(ctx, s, struct{}{}); err != nil {
		return nil, err
	}
	primes := []int{}
	if p.Limit > 2 {
		primes = append(primes, 2)
	}
	opts := &sleigh.JobOptions{Ordered: true, OnDone: onDone}
	err := findPrimes.Accumulate(ctx, s, p.firsts(), opts, func(_ int, more []int) error {
		primes = append(primes, more...)
		return nil
	})
	return primes, err
}

// primesOfChunk is the task: it returns the primes of the chunk that begins with first.
func primesOfChunk(ctx context.Context, first int) ([]int, error) {
	m, err := recall(ctx)
	if err != nil {
		return nil, err
	}
	user := sleigh.WorkerFrom(ctx).User()
	end := m.end(first)

	// The chunks whose primes are needed come earlier in the order of the tasks, so waiting for them always ends.
	for m.known < first && squareBelow(m.known, end) {
		var primes []int
		if err := user.Find(ctx, variable(m.known), &primes); err != nil {
			return nil, err
		}
		m.remember(primes)
	}
	primes := oddPrimes(first, end, m.primes)

	// When a worker died after this, its task runs again and stores the same primes again, which is harmless
	// since they are only ever found.
	if squareBelow(first, m.Limit) {
		if err := user.Store(ctx, variable(first), primes); err != nil {
			return nil, err
		}
	}
	return primes, nil
}

// variable is where the primes of the chunk that begins with first are found.
func variable(first int) string { return fmt.Sprintf("primes%d", first) }

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

// A memory is what a worker keeps from task to task: the parameters and the odd primes below known, the first number
// of the chunk whose primes it will need next. It needs no lock, since a worker runs its tasks one after the other.
type memory struct {
	parameters
	primes []int
	known  int
}

func (m *memory) remember(primes []int) {
	m.primes = append(m.primes, primes...)
	m.known += m.Chunk
}

// memories has one memory in a worker process, and several where workers are goroutines of one process.
var memories sync.Map // *sleigh.Worker to *memory

// recall returns the memory of this worker. A worker that joined late finds the parameters with its first task.
func recall(ctx context.Context) (*memory, error) {
	w := sleigh.WorkerFrom(ctx)
	if m, ok := memories.Load(w); ok {
		return m.(*memory), nil
	}
	m := &memory{known: 3}
	if err := w.User().Find(ctx, "parameters", &m.parameters); err != nil {
		return nil, err
	}
	kept, _ := memories.LoadOrStore(w, m)
	return kept.(*memory), nil
}
