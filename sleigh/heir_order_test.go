package sleigh_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/netspaces/netspaces/sleigh"
)

// TestS13OrderLasts gives the results of a job in order, though its masters change.
func TestS13OrderLasts(t *testing.T) {
	t.Parallel()
	_, _, master := heirs(t, "mem://", 2)
	const n = 1000
	o := &sleigh.JobOptions{Name: "ordered", Ordered: true, Chunk: 7}
	var seen []int
	for leg, until := range []int{300, n} {
		s := master()
		ctx, cancel := context.WithCancelCause(testContext(t))
		err := square.Accumulate(ctx, s, upTo(n), o, func(i, v int) error {
			seen = append(seen, i)
			if len(seen) == until && until < n {
				cancel(errEnough)
			}
			return nil
		})
		cancel(nil)
		if until == n && err != nil || until < n && !errors.Is(err, errEnough) {
			t.Errorf("leg %d: %v after %d", leg, err, len(seen))
		}
		stopNow(t, s)
	}
	if len(seen) != n || !slices.IsSorted(seen) {
		t.Errorf("%d given of %d, sorted: %t", len(seen), n, slices.IsSorted(seen))
	}
}

// TestS13OrderAttach breaks off All's loop, and has it go on, in order, in the master that attaches.
func TestS13OrderAttach(t *testing.T) {
	t.Parallel()
	_, _, master := heirs(t, "mem://", 2)
	const n = 200
	job, err := doze.Submit(testContext(t), master(), upTo(n), &sleigh.JobOptions{Name: "o", Chunk: 5, Ordered: true})
	if err != nil {
		t.Fatal(err)
	}
	var seen []int
	for r, err := range job.All(testContext(t)) {
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, r.Index)
		if len(seen) == 50 {
			break
		}
	}
	seen = seen[:49] // that which the loop broke off with counts as not used
	if err := job.Detach(testContext(t)); err != nil {
		t.Fatal(err)
	}
	again, err := doze.Attach(testContext(t), master(), "o", &sleigh.JobOptions{Ordered: true})
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range again.All(testContext(t)) {
		if err != nil {
			t.Fatalf("after %d: %v", len(seen), err)
		}
		seen = append(seen, r.Index)
	}
	if len(seen) != n || !slices.IsSorted(seen) {
		t.Errorf("%d given of %d, sorted: %t", len(seen), n, slices.IsSorted(seen))
	}
}

// TestS13OtherSequence has each master give the elements in chunks of another size, then more elements, then too few of them.
func TestS13OtherSequence(t *testing.T) {
	t.Parallel()
	_, _, master := heirs(t, "mem://", 2)
	leg := func(name string, n, chunk, until int, seen map[int]int) error {
		s := master()
		defer stopNow(t, s)
		ctx, cancel := context.WithCancelCause(testContext(t))
		defer cancel(nil)
		return square.Accumulate(ctx, s, upTo(n), &sleigh.JobOptions{Name: name, Chunk: chunk}, func(i, v int) error {
			if v != i*i {
				t.Errorf("%d gives %d", i, v)
			}
			if seen[i]++; until > 0 && len(seen) >= until {
				cancel(errEnough)
			}
			return nil
		})
	}
	seen := map[int]int{}
	for i, chunk := range []int{10, 3, 17, 1, 13} {
		if err := leg("chunks", 1000, chunk, 150*(i+1), seen); err == nil {
			t.Errorf("leg %d is not broken off", i)
		}
	}
	if err := leg("chunks", 1500, 7, 0, seen); err != nil || len(seen) != 1500 || twiceOf(seen) > 0 {
		t.Errorf("longer: %v, %d, %d twice", err, len(seen), twiceOf(seen))
	}
	seen = map[int]int{}
	if err := leg("shorter", 1000, 7, 500, seen); !errors.Is(err, errEnough) {
		t.Error(err)
	}
	if err := leg("shorter", 100, 7, 0, seen); !errors.Is(err, sleigh.ErrIncomplete) {
		t.Errorf("shorter: %v", err)
	}
	if err := leg("shorter", 1000, 7, 0, seen); err != nil || len(seen) != 1000 || twiceOf(seen) > 0 {
		t.Errorf("then right: %v, %d of 1000, %d twice", err, len(seen), twiceOf(seen))
	}
}
