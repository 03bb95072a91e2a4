package main

import (
	"context"
	"fmt"
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
