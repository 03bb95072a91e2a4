package chaos

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// elem is an element of a job. All that is done for it follows from it.
type elem struct {
	Job   uint64
	Index int
}

// found is the result of an element.
type found struct {
	Index int
	Value uint64
}

// errPlanned is what the function says where it is to fail.
var errPlanned = errors.New("it is to fail")

const attempts = 2 // of each element

func (e elem) rng() *rand.Rand { return rand.New(rand.NewPCG(e.Job, uint64(e.Index))) } //nolint:gosec // It has to be reproducible.

func (e elem) want() found { return found{e.Index, e.rng().Uint64() | 1} }

// fails reports whether the function fails for it each time.
func (e elem) fails() bool { return e.rng().Uint64()%500 == 3 }

// lasts is how long the function takes.
func (e elem) lasts() time.Duration {
	rng := e.rng()
	_ = rng.Uint64()
	switch n := rng.IntN(10000); {
	case n < 4: // so long that the rest of its chunk goes to others
		return time.Duration(200+rng.IntN(500)) * time.Millisecond
	case n < 300:
		return time.Duration(1+rng.IntN(20)) * time.Millisecond
	default:
		return 0
	}
}

func upTo(job uint64, n int) iter.Seq[elem] {
	return func(yield func(elem) bool) {
		for i := range n {
			if !yield(elem{job, i}) {
				return
			}
		}
	}
}

// work is what workers run.
var work = sleigh.Register("work", func(ctx context.Context, e elem) (found, error) {
	if i := sleigh.Index(ctx); i != e.Index {
		return found{}, fmt.Errorf("the element with index %d is said to be %d", e.Index, i)
	}
	if d := e.lasts(); d > 0 {
		select {
		case <-time.After(d):
		case <-ctx.Done():
			return found{}, ctx.Err()
		}
	}
	if e.fails() {
		return found{}, errPlanned
	}
	return e.want(), nil
})

var rankOf = sleigh.Register("rankOf", func(ctx context.Context, _ int) (int, error) { return sleigh.WorkerFrom(ctx).Rank(), nil })
