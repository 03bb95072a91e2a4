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
		of   panel
		y    func(x float64) float64
		want []float64 // where steps end
	}{
		{"line", panel{Affine: true}, func(x float64) float64 { return 50 + 3*x }, nil},
		{"noise", panel{Affine: true}, func(x float64) float64 { return (50 + 3*x) * (1 + 0.15*math.Sin(x)) }, nil},
		{"jump", panel{Affine: true}, func(x float64) float64 {
			if x >= 1000 {
				return 2 * (50 + 3*x)
			}
			return 50 + 3*x
		}, []float64{1000}},
		{"square", panel{Affine: true}, func(x float64) float64 { return x * x }, []float64{30, 100, 300, 1000, 3000, 10000}},
		{"proportional", panel{}, func(x float64) float64 { return 3 * x }, nil},
		{"less", panel{}, func(x float64) float64 { return 50 + 3*math.Sqrt(x) }, nil},
		{"more", panel{}, func(x float64) float64 { return 3*x + x*x/300 }, []float64{1000, 3000, 10000}},
		{"rate", panel{Rate: true}, func(x float64) float64 { return 100 * x }, nil},
		{"rate that falls behind", panel{Rate: true}, func(x float64) float64 { return 100 * min(x, 1000) }, []float64{3000, 10000}},
	} {
		p := tc.of
		for _, x := range []float64{10, 30, 100, 300, 1000, 3000, 10000} {
			p.add("s", x, tc.y(x))
		}
		var got []float64
		for _, s := range p.findSteps([]panel{p}) {
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

// TestStepsOfAllRepeats checks that what is in the medians, but not in each repeat, is taken for noise.
func TestStepsOfAllRepeats(t *testing.T) {
	var repeats []panel
	for _, ys := range [][]float64{{10, 90, 300}, {10, 31, 900}, {10, 90, 900}} {
		var p panel
		for i, x := range []float64{10, 30, 100} {
			p.add("s", x, ys[i])
		}
		repeats = append(repeats, p)
	}
	p := middle(repeats)
	if all, in := p.steps(), p.findSteps(repeats); len(all) != 2 || len(in) != 0 {
		t.Errorf("steps %v, in all repeats %v", all, in)
	}
	if in := p.findSteps(repeats[2:]); len(in) != 2 {
		t.Errorf("steps %v in that one repeat", in)
	}
}
