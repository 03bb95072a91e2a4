package sleigh_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/netspaces/netspaces/sleigh"
)

var scaled = sleigh.Register("scaled", func(ctx context.Context, x int) (int, error) {
	factor, err := sleigh.Exported[int](ctx, "factor")
	return factor * x, err
})

// TestS11Export gives functions a value that the master changes between jobs.
func TestS11Export(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		ctx := testContext(t)
		_, err := scaled.EachElem(ctx, s, upTo(3), nil)
		var failed sleigh.TaskErrors
		if !errors.As(err, &failed) || len(failed) != 3 {
			t.Errorf("before Export: %v", err)
		}
		for factor := range 5 {
			if err := s.Export(ctx, "factor", factor); err != nil {
				t.Fatal(err)
			}
			got, err := scaled.EachElem(ctx, s, upTo(100), nil)
			if err != nil || got[99] != 99*factor || got[1] != factor {
				t.Errorf("with factor %d: %v, %v", factor, got, err)
			}
		}
		if err := s.Unexport(ctx, "factor"); err != nil {
			t.Fatal(err)
		}
		if _, err = scaled.EachElem(ctx, s, upTo(3), nil); !errors.As(err, &failed) {
			t.Errorf("after Unexport: %v", err)
		}
		if err := s.Unexport(ctx, "factor"); !errors.Is(err, sleigh.ErrNotExported) {
			t.Errorf("Unexport once more: %v", err)
		}
	})
}

var draw = sleigh.Register("draw", func(ctx context.Context, _ int) ([]uint64, error) {
	r := sleigh.Rand(ctx)
	return []uint64{r.Uint64(), r.Uint64()}, nil
})

// Random numbers depend on seed and index only.
func TestRand(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		var before [][]uint64
		for _, chunk := range []int{0, 1, 7} {
			got, err := draw.EachElem(testContext(t), s, upTo(50), &sleigh.JobOptions{Seed: 42, Chunk: chunk})
			if err != nil {
				t.Fatal(err)
			}
			seen := map[uint64]bool{}
			for _, pair := range got {
				seen[pair[0]], seen[pair[1]] = true, true
			}
			if len(seen) != 100 {
				t.Errorf("%d different numbers of 100", len(seen))
			}
			if before != nil && !slices.EqualFunc(before, got, slices.Equal) {
				t.Errorf("with chunks of %d they are others", chunk)
			}
			if sleigh.RandOf(42, 3).Uint64() != got[3][0] {
				t.Error("RandOf differs from Rand")
			}
			before = got
		}
		other, err := draw.EachElem(testContext(t), s, upTo(50), &sleigh.JobOptions{Seed: 43})
		if err != nil || slices.EqualFunc(before, other, slices.Equal) {
			t.Errorf("another seed gives the same, %v", err)
		}
	})
	if sleigh.Rand(t.Context()).Uint64() != sleigh.Rand(t.Context()).Uint64() || sleigh.Index(t.Context()) != -1 {
		t.Error("outside of a function")
	}
}

// TestS5Recycle pairs arguments of different lengths.
func TestS5Recycle(t *testing.T) {
	for _, tt := range []struct {
		as, bs []int
		want   int
		even   bool
	}{
		{[]int{1, 2, 3, 4}, []int{5, 6}, 4, true},
		{[]int{1}, []int{5, 6, 7}, 3, true},
		{[]int{1, 2}, []int{5, 6, 7}, 3, false},
		{nil, []int{5}, 0, false},
		{nil, nil, 0, true},
	} {
		pairs, even := sleigh.Recycle(tt.as, tt.bs)
		got := slices.Collect(pairs)
		if even != tt.even || len(got) != tt.want {
			t.Errorf("%v with %v: %v, %v", tt.as, tt.bs, got, even)
		}
		for i, p := range got {
			if p.First != tt.as[i%len(tt.as)] || p.Second != tt.bs[i%len(tt.bs)] {
				t.Errorf("%v with %v: %v", tt.as, tt.bs, got)
			}
		}
	}
	fixed := slices.Collect(sleigh.Fixed(upTo(2), "x"))
	if !slices.Equal(fixed, []sleigh.Pair[int, string]{{First: 0, Second: "x"}, {First: 1, Second: "x"}}) {
		t.Errorf("got %v", fixed)
	}
}

// TestS6Channel takes elements from a channel, whose end nobody knows.
func TestS6Channel(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		elems := make(chan int)
		n := 100 + rand.IntN(100) //nolint:gosec // Any number does.
		go func() {
			defer close(elems)
			for i := range n {
				elems <- i
			}
		}()
		got, err := square.EachElem(testContext(t), s, sleigh.FromChannel(testContext(t), elems), nil)
		wantSquares(t, got, err, n)
	})
}
