package main

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

func sum(naps []time.Duration) (total time.Duration) {
	for _, d := range naps {
		total += d
	}
	return total
}

// checkNaps checks that each nap has a result, and took as long as it should, at least.
func checkNaps(naps, results []time.Duration) error {
	if len(results) != len(naps) {
		return fmt.Errorf("%d results of %d naps", len(results), len(naps))
	}
	for i, d := range results {
		if d < naps[i] {
			return fmt.Errorf("nap %d of %v took %v", i, naps[i], d)
		}
	}
	return nil
}

// logNormal is n durations whose logarithms are normally distributed, the same ones each time.
func logNormal(n int, middle time.Duration, sigma float64) []time.Duration {
	random := rand.New(rand.NewPCG(7, 7))
	naps := make([]time.Duration, n)
	for i := range naps {
		naps[i] = time.Duration(float64(middle) * math.Exp(sigma*random.NormFloat64()))
	}
	return naps
}

// lowerBound is less than any schedule of the naps takes.
func lowerBound(naps []time.Duration, slots int) time.Duration {
	return max(sum(naps)/time.Duration(slots), slices.Max(naps))
}

// inTurn is how long the schedule takes in which each slot takes the next one when it is free, at no cost.
func inTurn(naps []time.Duration, slots int) time.Duration {
	free := make(ends, slots)
	for _, d := range naps {
		free[0] += d
		heap.Fix(&free, 0)
	}
	return slices.Max(free)
}

// ends is a heap of when slots are free.
type ends []time.Duration

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, j int) bool { return e[i] < e[j] }
func (e ends) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e ends) Push(any)           {}
func (e ends) Pop() any           { return nil }
