package main

import (
	"context"
	"fmt"
	"slices"
)

// family is rows that are measured together.
type family struct {
	rows    []row
	measure func(ctx context.Context, b *bench, r *rounds) error
}

// row is one line of the table. Its ratio is ours divided by theirs, whatever they count; only a speedup is the other way round.
type row struct {
	name string
	unit unit
	goal goal
	what string // what is compared
}

// goal is what a ratio should be.
type goal struct {
	most  bool // the less, the better: it is about time or memory
	ratio float64
}

func atLeast(ratio float64) goal { return goal{ratio: ratio} }
func atMost(ratio float64) goal  { return goal{most: true, ratio: ratio} }

func (g goal) String() string {
	if g.most {
		return fmt.Sprintf("≤ %g", g.ratio)
	}
	return fmt.Sprintf("≥ %g", g.ratio)
}

// met is how much of the goal a ratio reaches: 1 where it is met exactly, 0.5 where it is half as good.
func (g goal) met(ratio float64) float64 {
	if g.most {
		return g.ratio / ratio
	}
	return ratio / g.ratio
}

// isWanted reports whether any of the rows is.
func (f *family) isWanted(o *options) bool {
	return slices.ContainsFunc(f.rows, func(r row) bool { return o.wantsRow(r.name) })
}
