package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// curve is how something grows.
type curve struct {
	name    string
	what    string
	measure func(ctx context.Context, b *bench) (panel, error)
}

// panel is a curve as it was measured, with others beside it. Both axes are logarithmic.
type panel struct {
	Name   string   `json:"name"`
	Title  string   `json:"title"`
	X      string   `json:"x"`
	Y      string   `json:"y"`
	Rate   bool     `json:"rate,omitempty"`   // Y is how many in a second: the more, the better
	Affine bool     `json:"affine,omitempty"` // Y should grow as a + b·X; else at most as X
	Series []series `json:"series"`
	Steps  []step   `json:"steps"`
}

type series struct {
	Name   string  `json:"name"`
	Points []point `json:"points"`
}

type point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// add adds a point to the series of that name.
func (p *panel) add(name string, x, y float64) {
	for i := range p.Series {
		if p.Series[i].Name == name {
			p.Series[i].Points = append(p.Series[i].Points, point{x, y})
			return
		}
	}
	p.Series = append(p.Series, series{name, []point{{x, y}}})
}

// middle has the medians of panels that have the same points on the X axis.
func middle(all []panel) panel {
	var p panel
	p.X, p.Y, p.Rate, p.Affine = all[0].X, all[0].Y, all[0].Rate, all[0].Affine
	for i, s := range all[0].Series {
		for k, at := range s.Points {
			var ys []float64
			for _, one := range all {
				ys = append(ys, one.Series[i].Points[k].Y)
			}
			p.add(s.Name, at.X, median(ys))
		}
	}
	return p
}

func (b *bench) measureCurves(ctx context.Context, o *options, r *report, stderr io.Writer) error {
	for _, c := range curves {
		if !o.wantsCurve(c.name) {
			continue
		}
		began := time.Now()
		var repeats []panel
		for range o.curveRepeats() {
			p, err := c.measure(ctx, b)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			repeats = append(repeats, p)
		}
		p := middle(repeats)
		p.Name, p.Title, p.Steps = c.name, c.what, p.findSteps(repeats)
		r.Curves = append(r.Curves, p)
		fmt.Fprintf(stderr, "%s: %v\n", c.name, time.Since(began).Round(100*time.Millisecond))
	}
	return nil
}
