package main

import (
	"cmp"
	"math"
	"slices"
)

// median is the middle one, or the mean of the two in the middle.
func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// spread is how far the extremes lie apart, as part of the median.
func spread(all []float64) float64 {
	if len(all) == 0 {
		return math.NaN()
	}
	return (slices.Max(all) - slices.Min(all)) / median(all)
}

// quantile is the smallest one that at least the part q of all do not exceed.
func quantile[T cmp.Ordered](all []T, q float64) T {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(max(int(math.Ceil(q*float64(len(sorted))))-1, 0), len(sorted)-1)]
}

// exponent is the p for which y grows as x to the power of p, by least squares of the logarithms.
func exponent(points []point) float64 {
	var sx, sy, sxx, sxy float64
	for _, p := range points {
		x, y := math.Log(p.X), math.Log(p.Y)
		sx, sy, sxx, sxy = sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	n := float64(len(points))
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}
