package sleigh_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

var (
	exitSoon = sleigh.Register("exitSoon", func(context.Context, int) (int, error) {
		time.Sleep(20 * time.Millisecond) // so that others begin
		os.Exit(3)
		return 0, nil
	})
	takeTime = sleigh.Register("takeTime", func(_ context.Context, x int) (int, error) {
		time.Sleep(200 * time.Millisecond) // so that a neighbour ends the worker meanwhile
		return x, nil
	})
)

// TestPoisonNeighbours has elements that end their workers, in slots beside others that do not: those have their results.
func TestPoisonNeighbours(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(2), Slots: 4})
		if err := s.Await(testContext(t), 2); err != nil {
			t.Fatal(err)
		}
		var calls sync.WaitGroup
		for n := range 2 {
			calls.Go(func() {
				if all, err := takeTime.EachElem(testContext(t), s, slices.Values([]int{n}), nil); err != nil || all[0] != n {
					t.Errorf("a neighbour has %v, %v", all, err)
				}
			})
		}
		calls.Go(func() {
			_, err := exitSoon.EachElem(testContext(t), s, upTo(3), nil)
			failed, ok := errors.AsType[sleigh.TaskErrors](err)
			if !ok || len(failed) != 3 {
				t.Errorf("elements that end their workers: %v", err)
			}
			for _, e := range failed {
				if len(e.Deaths) != 3 {
					t.Errorf("element %d has %d deaths", e.Index, len(e.Deaths))
				}
			}
		})
		calls.Wait()
	})
}
