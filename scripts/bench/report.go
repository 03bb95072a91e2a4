package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
)

// report is what a run gave.
type report struct {
	// Ratios are of the medians of the rounds, by the names of rows.
	Ratios  map[string]float64 `json:"ratios"`
	Rows    []rowReport        `json:"rows"`
	Curves  []panel            `json:"curves,omitempty"`
	Studies []*sheet           `json:"studies,omitempty"`
	Machine machine            `json:"machine"`
}

// rowReport is one line of the table.
type rowReport struct {
	Name   string  `json:"name"`
	Unit   unit    `json:"unit"`
	Ours   float64 `json:"ours"` // median of the rounds
	Theirs float64 `json:"theirs"`
	Ratio  float64 `json:"ratio"` // median of the rounds' ratios
	Goal   string  `json:"goal"`
	Met    float64 `json:"met"`    // how much of the goal is reached; 1 or more is all
	Spread float64 `json:"spread"` // of the ratios: (max - min) / median
	Rounds int     `json:"rounds"`
	Fails  bool    `json:"fails,omitempty"` // by far: see goal.fails
}

// reportOf has the medians of a row.
func reportOf(r row, samples []sample) rowReport {
	var ours, theirs, ratios []float64
	for _, s := range samples {
		ours, theirs, ratios = append(ours, s.ours), append(theirs, s.theirs), append(ratios, s.ratio)
	}
	ratio, goal := median(ratios), goals[r.name]
	return rowReport{
		Name: r.name, Unit: r.unit, Ours: median(ours), Theirs: median(theirs), Ratio: ratio, Goal: goal.String(),
		Met: goal.met(ratio), Spread: spread(ratios), Rounds: len(samples), Fails: goal.fails(ratio),
	}
}

func (r *report) add(row rowReport) error {
	for _, x := range []float64{row.Ours, row.Theirs, row.Ratio, row.Met, row.Spread} {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("%s: not a number among %+v", row.Name, row)
		}
	}
	if r.Ratios == nil {
		r.Ratios = map[string]float64{}
	}
	r.Ratios[row.Name] = row.Ratio
	r.Rows = append(r.Rows, row)
	return nil
}

// print writes the report to stdout, and the picture to its file.
func (r *report) print(stdout io.Writer, o *options) error {
	if o.plot != "" && len(r.Curves) > 0 {
		if err := drawPanels(r.Curves, o.plot); err != nil {
			return err
		}
	}
	if o.docs != "" {
		if err := r.writeDocs(o.docs, o); err != nil {
			return err
		}
	}
	if o.json {
		return json.NewEncoder(stdout).Encode(r)
	}
	return r.printTables(stdout)
}

// check is an error where a ratio fails.
func (r *report) check() error {
	var errs []error
	for _, row := range r.Rows {
		if row.Fails {
			errs = append(errs, fmt.Errorf("%s is %.3g, which %s", row.Name, row.Ratio, goals[row.Name].complaint()))
		}
	}
	return errors.Join(errs...)
}
