package sleigh_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// TestS4ContextEnds ends a call whose functions are held up. The team must not work off what the call has left.
func TestS4ContextEnds(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		ctx, cancel := context.WithCancelCause(testContext(t))
		ended := make(chan error, 1)
		go func() {
			got, err := wait.EachElem(ctx, s, upTo(800), nil)
			if got != nil {
				t.Errorf("results: %v", got)
			}
			ended <- err
		}()
		fetch[visit](t, s.User(), "begun")
		fetch[visit](t, s.User(), "begun")
		enough := errors.New("enough")
		cancel(enough)
		if err := <-ended; !errors.Is(err, enough) {
			t.Errorf("got %v", err)
		}
		openGate(t, s.User())
		got, err := square.EachElem(testContext(t), s, upTo(100), nil)
		wantSquares(t, got, err, 100)

		begun := 0
		for more := true; more; {
			if more, err = s.User().TryFetch(t.Context(), "begun", new(visit)); err != nil {
				t.Fatal(err)
			}
			if more {
				begun++
			}
		}
		if begun > 400 { // a few: until the workers notice
			t.Errorf("%d elements more were run for nobody", begun)
		}
	})
}

// TestS4ContextEndsForFunctions ends a call whose functions only wait for the end of their own context.
func TestS4ContextEndsForFunctions(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		ctx, cancel := context.WithCancel(testContext(t))
		ended := make(chan error, 1)
		go func() {
			_, err := wait.EachElem(ctx, s, upTo(10), nil)
			ended <- err
		}()
		for range 2 {
			fetch[visit](t, s.User(), "begun")
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		// The gate stays shut.
		got, err := square.EachElem(testContext(t), s, upTo(20), nil)
		wantSquares(t, got, err, 20)
	})
}

// TestS4ContextEndsInOnDone ends the call at any moment.
func TestS4ContextEndsInOnDone(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(2)})
		for at := range 8 {
			ctx, cancel := context.WithCancel(testContext(t))
			_, err := square.EachElem(ctx, s, upTo(3000), &sleigh.JobOptions{OnDone: func(done int) {
				if done >= 50*at {
					cancel()
				}
			}})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			got, err := square.EachElem(testContext(t), s, upTo(20), nil)
			wantSquares(t, got, err, 20)
		}
	})
}

func TestS4ContextEndedBefore(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.InProcess(1)})
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	if _, err := square.EachElem(ctx, s, upTo(3), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("EachElem: %v", err)
	}
	if _, err := square.EachWorker(ctx, s, 3); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("EachWorker: %v", err)
	}
}

// TestS4EndlessUnsendable has an endless sequence of elements none of which can be sent, so that nothing ever comes back.
func TestS4EndlessUnsendable(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.InProcess(1)})
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	_, err := half.EachElem(ctx, s, func(yield func(float64) bool) {
		for i := 0; yield(math.NaN()); i++ {
			if i == 100 {
				cancel()
			}
			if i == 100_000 {
				t.Error("elements are still taken after the end of the context")
				break
			}
		}
	}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestS4SequencePanics wants the panic of a sequence to reach whoever called EachElem, as in any loop over it.
func TestS4SequencePanics(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.InProcess(1)})
	defer func() {
		if p := recover(); p == nil || fmt.Sprint(p) != "no more" {
			t.Errorf("got a panic with %v", p)
		}
		got, err := square.EachElem(testContext(t), s, upTo(20), nil)
		wantSquares(t, got, err, 20)
	}()
	_, err := square.EachElem(testContext(t), s, func(yield func(int) bool) {
		yield(1)
		panic("no more")
	}, nil)
	t.Errorf("EachElem has returned %v", err)
}

// TestS4SequenceGoexits has a sequence end its goroutine, as t.Fatal does. That must not pass for its end.
func TestS4SequenceGoexits(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.InProcess(1)})
	returned := make(chan error, 1)
	go func() {
		err := errors.New("the caller's goroutine has ended too") // which is as good
		defer func() { returned <- err }()
		_, err = square.EachElem(testContext(t), s, func(yield func(int) bool) {
			yield(1)
			runtime.Goexit()
		}, nil)
	}()
	if err := <-returned; err == nil {
		t.Error("the first elements were taken for all")
	}
}

// TestS4LongElement has one element that runs until all others are done, which may neither wait behind it nor be held back.
func TestS4LongElement(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(2)})
		const n = 600 // the first ones are short, so that workers take many at a time
		got, err := long.EachElem(testContext(t), s, upTo(n), &sleigh.JobOptions{OnDone: func(done int) {
			if done == n-1 {
				openGate(t, s.User())
			}
		}})
		if err != nil || !slices.Equal(got, slices.Collect(upTo(n))) {
			t.Errorf("%d results, %v", len(got), err)
		}
	})
}

// long takes its time over element 400.
var long = sleigh.Register("long", func(ctx context.Context, x int) (int, error) {
	if x != 400 {
		return x, nil
	}
	return x, sleigh.WorkerFrom(ctx).User().Find(ctx, "gate", new(bool))
})
