package main

import (
	"fmt"
	"slices"
)

// step is where a series becomes worse from one point to the next by more than it should.
type step struct {
	Series string  `json:"series"`
	From   float64 `json:"from"`
	To     float64 `json:"to"`
	Factor float64 `json:"factor"`
}

// worstFactor is what counts as a step.
const worstFactor = 1.5

func (s step) String() string {
	return fmt.Sprintf("%s is worse by a factor of %.2f from %.0f to %.0f", s.Series, s.Factor, s.From, s.To)
}

// findSteps are those of a panel that are in all the repeats it is made of: what is only noise is elsewhere in each.
func (p panel) findSteps(repeats []panel) []step {
	return slices.DeleteFunc(p.steps(), func(s step) bool {
		return slices.ContainsFunc(repeats, func(one panel) bool {
			return !slices.ContainsFunc(one.steps(), func(other step) bool { return other.Series == s.Series && other.From == s.From })
		})
	})
}

func (p panel) steps() []step {
	var steps []step
	for _, s := range p.Series {
		a, b := 0.0, 1.0
		if p.Affine {
			a, b = line(s.Points)
		}
		for i := 1; i < len(s.Points); i++ {
			last, next := s.Points[i-1], s.Points[i]
			factor := (next.Y / (a + b*next.X)) / (last.Y / (a + b*last.X))
			if p.Rate {
				factor = 1 / factor
			}
			if factor > worstFactor {
				steps = append(steps, step{s.Name, last.X, next.X, factor})
			}
		}
	}
	return steps
}

// line is the a + b·x, neither of them negative, that is nearest to the points by the squares of relative errors.
func line(points []point) (a, b float64) {
	var s1, sx, sxx, t, tx float64 // sums of 1/y², x/y², x²/y²; of 1/y, x/y
	for _, p := range points {
		x := p.X / p.Y
		s1, sx, sxx = s1+1/(p.Y*p.Y), sx+x/p.Y, sxx+x*x
		t, tx = t+1/p.Y, tx+x
	}
	if d := s1*sxx - sx*sx; d > 0 {
		a, b = (t*sxx-tx*sx)/d, (s1*tx-sx*t)/d
	}
	switch {
	case a <= 0:
		return 0, tx / sxx
	case b < 0:
		return t / s1, 0
	}
	return a, b
}
