package sleigh_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// brief reports whether tests that take more than some 4 s by themselves are left out, as they are but for NETSPACES_ALL=1.
func brief() bool { return os.Getenv("NETSPACES_ALL") != "1" }

// heirs is a team that lasts, of n workers that stay, and its name; master makes another master.
func heirs(t *testing.T, url string, n int) (rdb *redisx.Client, name string, master func() *sleigh.Sleigh) {
	t.Helper()
	rdb = open(t, url)
	name = "heirs " + t.Name()
	disband(t, rdb, name)
	if n > 0 {
		join(t, rdb, name, &sleigh.Options{Launch: sleigh.InProcess(n), Lease: time.Second})
	}
	return rdb, name, func() *sleigh.Sleigh { return join(t, rdb, name, &sleigh.Options{Lease: time.Second}) }
}

// within is a context of so long a time.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func stopNow(t *testing.T, s *sleigh.Sleigh) {
	t.Helper()
	if err := s.Stop(testContext(t)); err != nil {
		t.Fatal(err)
	}
}

func awaitDone(t *testing.T, check func() sleigh.JobProgress, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d are done", n), func() bool { return check().Done >= n })
}

// twiceOf is how many elements were given more than once.
func twiceOf(seen map[int]int) (twice int) {
	for _, times := range seen {
		if times > 1 {
			twice++
		}
	}
	return twice
}

// squareOrWait squares; below 0 it waits for the gate.
var squareOrWait = sleigh.Register("squareOrWait", func(ctx context.Context, x int) (int, error) {
	if x < 0 {
		return x, sleigh.WorkerFrom(ctx).User().Find(ctx, "gate", new(bool))
	}
	return x * x, nil
})

// heldUpTo is upTo(n) with a last element that waits for the gate.
func heldUpTo(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
		yield(-1)
	}
}

// squareUnlessOdd squares, but fails for one element of a hundred.
var squareUnlessOdd = sleigh.Register("squareUnlessOdd", func(ctx context.Context, x int) (int, error) {
	if x%100 == 99 {
		return 0, errors.New("odd")
	}
	return x * x, nil
})

// flakyElement fails for its first so many attempts.
type flakyElement struct {
	Key   string
	Fails int
}

var flakyRuns sync.Map // key -> *atomic.Int64

// flaky counts how often an element is run.
var flaky = sleigh.Register("flaky", func(ctx context.Context, e flakyElement) (string, error) {
	n, _ := flakyRuns.LoadOrStore(e.Key, new(atomic.Int64))
	if n.(*atomic.Int64).Add(1) <= int64(e.Fails) {
		return "", errors.New("flaky")
	}
	return e.Key, nil
})

func flakyElements(prefix string, n, fails int) iter.Seq[flakyElement] {
	return func(yield func(flakyElement) bool) {
		for i := range n {
			if !yield(flakyElement{fmt.Sprint(prefix, " ", i), fails}) {
				return
			}
		}
	}
}
