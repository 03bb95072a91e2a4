package main

import (
	"slices"
	"testing"
)

func TestGaps(t *testing.T) {
	all := oddPrimes(3, 2_000_000, nil)
	var back []int
	chunks := 0
	for first := range (primesOf{Below: 2_000_000, Chunk: 300}).firsts() {
		from, _ := slices.BinarySearch(all, first)
		to, _ := slices.BinarySearch(all, first+300)
		back = gapsOf(first, all[from:to]).appendTo(back, first)
		chunks++
	}
	if !slices.Equal(back, all) || chunks != 6667 {
		t.Errorf("%d primes came back from %d chunks, there are %d", len(back), chunks, len(all))
	}
}
