package main

import (
	"slices"
	"strings"
	"testing"
)

func TestGoals(t *testing.T) {
	for _, tc := range []struct {
		goal  goal
		ratio float64
		met   float64
		fails bool
	}{
		{atLeast(4), 4, 1, false},
		{atLeast(4), 2, 0.5, false},
		{atLeast(4), 1.9, 0.475, true},
		{atMost(1.5), 1.5, 1, false},
		{atMost(1.5), 3, 0.5, false},
		{atMost(1.5), 6, 0.25, true},
		{goal{ratio: 4, floor: 1}, 1.1, 0.275, false},
		{goal{ratio: 4, floor: 1}, 0.9, 0.225, true},
		{goal{most: true, ratio: 1.5, floor: 6}, 5, 0.3, false},
		{goal{most: true, ratio: 1.5, floor: 6}, 7.5, 0.2, true},
	} {
		if met, fails := tc.goal.met(tc.ratio), tc.goal.fails(tc.ratio); met != tc.met || fails != tc.fails {
			t.Errorf("%g for %v: met %g and fails %v, want %g and %v", tc.ratio, tc.goal, met, fails, tc.met, tc.fails)
		}
	}
	if text := (goal{most: true, ratio: 1.5, floor: 6}).complaint(); !strings.Contains(text, "≤ 6") || !strings.Contains(text, "≤ 1.5") {
		t.Errorf("it says that the ratio %s", text)
	}
}

// TestGoalsOfRows checks that rows and goals belong together.
func TestGoalsOfRows(t *testing.T) {
	names := allNames()
	for name, g := range goals {
		if !slices.Contains(names, name) {
			t.Errorf("%s has a goal, but is no row", name)
		}
		if g.floor != 0 && (g.why == "" || g.met(g.floor) >= 0.5) {
			t.Errorf("%s: a floor of %g, since %q", name, g.floor, g.why)
		}
	}
	for _, f := range families {
		for _, r := range f.rows {
			if goals[r.name].ratio <= 0 {
				t.Errorf("%s has no goal", r.name)
			}
		}
	}
}

func TestWorse(t *testing.T) {
	r := &rounds{}
	for _, times := range [][2]float64{{2, 3}, {5, 4}} {
		r.add("wake_find_vs_blpop", times[0], 1)
		r.add("wake_fetch_vs_blpop", times[1], 1)
		r.addWorse("wake_vs_blpop", "wake_find_vs_blpop", "wake_fetch_vs_blpop")
	}
	if got := r.samples["wake_vs_blpop"]; got[0].ratio != 3 || got[1].ratio != 5 {
		t.Errorf("the slower ones are %v", got)
	}
}
