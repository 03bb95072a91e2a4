package main

import (
	"context"
	"io"
	"testing"
)

// TestAgain checks that a family that fails is measured anew, and what counts then.
func TestAgain(t *testing.T) {
	for _, tc := range []struct {
		name   string
		ratios []float64 // of each time that it is measured
		check  bool
		times  int
		fails  bool
	}{
		{"well", []float64{0.5}, true, 1, false},
		{"noise", []float64{0.1, 0.5}, true, 2, false},
		{"worse", []float64{0.1, 0.1, 0.1, 0.5}, true, 3, true},
		{"not asked", []float64{0.1, 0.5}, false, 1, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			times := 0
			f := &family{
				rows: []row{{name: "each_vs_unsafe", unit: perSecond}},
				measure: func(_ context.Context, _ *bench, r *rounds) error {
					r.add("each_vs_unsafe", tc.ratios[times], 1)
					times++
					return nil
				},
			}
			report := &report{}
			if err := new(bench).measureFamily(t.Context(), &options{check: tc.check}, f, report, io.Discard); err != nil {
				t.Fatal(err)
			}
			if times != tc.times || (report.check() != nil) != tc.fails {
				t.Errorf("measured %d times, and then %v", times, report.check())
			}
		})
	}
}
