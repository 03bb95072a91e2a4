package main

import (
	"math"
	"testing"
)

func TestLine(t *testing.T) {
	for _, tc := range []struct {
		name string
		y    func(x float64) float64
		a, b float64
	}{
		{"affine", func(x float64) float64 { return 50 + 3*x }, 50, 3},
		{"proportional", func(x float64) float64 { return 3 * x }, 0, 3},
		{"constant", func(float64) float64 { return 7 }, 7, 0},
		{"falling", func(x float64) float64 { return 1e6 / (1e4 + x) }, 90, 0},
	} {
		var points []point
		for x := 10.0; x < 1e4; x *= 3 {
			points = append(points, point{x, tc.y(x)})
		}
		a, b := line(points)
		if math.Abs(a-tc.a) > 1e-6+tc.a/10 || math.Abs(b-tc.b) > 1e-6+tc.b/10 {
			t.Errorf("%s: %g + %g x, want %g + %g x", tc.name, a, b, tc.a, tc.b)
		}
	}
}

func TestSteps(t *testing.T) {
	for _, tc := range []struct {
		name string
		rate bool
		y    func(x float64) float64
		want []float64 // where steps end
	}{
		{"line", false, func(x float64) float64 { return 50 + 3*x }, nil},
		{"noise", false, func(x float64) float64 { return (50 + 3*x) * (1 + 0.15*math.Sin(x)) }, nil},
		{"jump", false, func(x float64) float64 {
			if x >= 1000 {
				return 2 * (50 + 3*x)
			}
			return 50 + 3*x
		}, []float64{1000}},
		{"square", false, func(x float64) float64 { return x * x }, []float64{30, 100, 300, 1000, 3000, 10000}},
		{"rate", true, func(x float64) float64 { return 100 * x }, nil},
		{"rate that falls behind", true, func(x float64) float64 { return 100 * min(x, 1000) }, []float64{3000, 10000}},
	} {
		p := panel{Rate: tc.rate}
		for _, x := range []float64{10, 30, 100, 300, 1000, 3000, 10000} {
			p.add("s", x, tc.y(x))
		}
		var got []float64
		for _, s := range p.findSteps() {
			got = append(got, s.To)
		}
		if len(got) != len(tc.want) {
			t.Errorf("%s: steps to %v, want %v", tc.name, got, tc.want)
			continue
		}
		for i := range got {
			if got[i] != tc.want[i] {
				t.Errorf("%s: steps to %v, want %v", tc.name, got, tc.want)
			}
		}
	}
}
