package main

import (
	"math"
	"testing"
	"time"
)

func TestMedianAndSpread(t *testing.T) {
	for _, tc := range []struct {
		all            []float64
		median, spread float64
	}{
		{[]float64{7}, 7, 0},
		{[]float64{3, 1, 2}, 2, 1},
		{[]float64{4, 1, 2, 3}, 2.5, 1.2},
	} {
		if m, s := median(tc.all), spread(tc.all); m != tc.median || s != tc.spread {
			t.Errorf("%v: median %v and spread %v, want %v and %v", tc.all, m, s, tc.median, tc.spread)
		}
	}
	if m, s := median(nil), spread(nil); !math.IsNaN(m) || !math.IsNaN(s) {
		t.Errorf("of nothing: %v, %v", m, s)
	}
}

func TestQuantile(t *testing.T) {
	all := make([]int, 100)
	for i := range all {
		all[i] = 100 - i
	}
	for q, want := range map[float64]int{0: 1, 0.5: 50, 0.99: 99, 1: 100} {
		if got := quantile(all, q); got != want {
			t.Errorf("quantile %g: %d, want %d", q, got, want)
		}
	}
}

func TestExponent(t *testing.T) {
	var points []point
	for _, x := range []float64{1, 10, 30, 100} {
		points = append(points, point{x, 5 * math.Pow(x, 1.5)})
	}
	if p := exponent(points); math.Abs(p-1.5) > 1e-9 {
		t.Errorf("x^%g, want x^1.5", p)
	}
}

func TestMiddle(t *testing.T) {
	var all []panel
	for _, y := range []float64{5, 1, 3} {
		p := panel{X: "n", Y: "s"}
		p.add("a", 10, y)
		p.add("a", 100, 2*y)
		p.add("b", 10, 7)
		all = append(all, p)
	}
	p := middle(all)
	a := p.Series[0]
	if len(p.Series) != 2 || a.Name != "a" || a.Points[0] != (point{10, 3}) || a.Points[1] != (point{100, 6}) || p.Y != "s" {
		t.Errorf("%+v", p)
	}
}

// TestNaps checks that the row of uneven times can be won: what a schedule without any cost takes is well below the goal.
func TestNaps(t *testing.T) {
	for _, n := range []int{unevenNaps, fewerNaps} {
		naps := logNormal(n, unevenMiddle, 1)
		if bound, took := lowerBound(naps, unevenSlots), inTurn(naps, unevenSlots); took < bound || took > bound*102/100 {
			t.Errorf("in turn %d of them take %v, the lower bound is %v", n, took, bound)
		}
	}
	if took := inTurn([]time.Duration{3, 1, 1, 2}, 2); took != 4 {
		t.Errorf("in turn: %d, want 4", took)
	}
	if bound := lowerBound([]time.Duration{9, 1, 1}, 2); bound != 9 {
		t.Errorf("bound: %d, want 9", bound)
	}
}
