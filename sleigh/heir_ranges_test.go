package sleigh

import (
	"math/rand/v2"
	"testing"
	"time"
)

// FuzzRanges compares ranges with a map.
func FuzzRanges(f *testing.F) {
	f.Add([]byte{1, 2, 3, 0, 4}, uint8(3))
	f.Fuzz(func(t *testing.T, indexes []byte, n uint8) {
		var r ranges
		has := map[int]bool{}
		for _, i := range indexes {
			r.add(int(i))
			has[int(i)] = true
			compareRanges(t, r, has, int(i), int(n)%9)
		}
	})
}

// TestS13Ranges adds indexes at random, and compares ranges with a map.
func TestS13Ranges(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano()) //nolint:gosec // Any will do.
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // It is to be repeated.
	for range 300 {
		var r ranges
		has := map[int]bool{}
		for range 300 {
			i := random.IntN(400)
			r.add(i)
			has[i] = true
			compareRanges(t, r, has, i, random.IntN(9))
		}
	}
}

// compareRanges compares all that ranges say around index i, and of n indexes that follow each other.
func compareRanges(t *testing.T, r ranges, has map[int]bool, i, n int) {
	t.Helper()
	if r.count() != len(has) {
		t.Fatalf("count %d of %d: %v", r.count(), len(has), r)
	}
	end := 0
	for k := range has {
		end = max(end, k+1)
	}
	if r.end() != end {
		t.Fatalf("end %d of %d: %v", r.end(), end, r)
	}
	for k := i - 3; k < i+4; k++ {
		if r.has(k) != has[k] {
			t.Fatalf("has(%d): %v", k, r)
		}
		all := true
		for q := k; q < k+n; q++ {
			all = all && has[q]
		}
		if n > 0 && r.hasAll(k, n) != all {
			t.Fatalf("hasAll(%d, %d): %v", k, n, r)
		}
	}
	for k := 1; k < len(r); k++ {
		if r[k][0] <= r[k-1][1]+1 || r[k][0] > r[k][1] {
			t.Fatalf("neighbours are not joined: %v", r)
		}
	}
}
