package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const (
	panelWidth  = 12 * vg.Centimeter
	panelHeight = 9 * vg.Centimeter
)

// drawPanels draws all panels into one picture, two in a row. The name of the file says in which format.
func drawPanels(panels []panel, file string) (err error) {
	columns := min(len(panels), 2)
	rows := (len(panels) + columns - 1) / columns
	format := strings.TrimPrefix(filepath.Ext(file), ".")
	canvas, err := draw.NewFormattedCanvas(vg.Length(columns)*panelWidth, vg.Length(rows)*panelHeight, format)
	if err != nil {
		return fmt.Errorf("--plot %s: %w", file, err)
	}
	plots := make([][]*plot.Plot, rows)
	for i := range plots {
		plots[i] = make([]*plot.Plot, columns)
	}
	for i, p := range panels {
		if plots[i/columns][i%columns], err = p.plot(); err != nil {
			return err
		}
	}
	tiles := draw.Tiles{Rows: rows, Cols: columns, PadX: vg.Centimeter, PadY: vg.Centimeter, PadTop: vg.Millimeter, PadRight: 3 * vg.Millimeter}
	for i, row := range plot.Align(plots, tiles, draw.New(canvas)) {
		for j, c := range row {
			if plots[i][j] != nil {
				plots[i][j].Draw(c)
			}
		}
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := canvas.WriteTo(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// plot is the panel on axes that are logarithmic.
func (p panel) plot() (*plot.Plot, error) {
	pl := plot.New()
	pl.Title.Text, pl.X.Label.Text, pl.Y.Label.Text = p.Title, p.X, p.Y
	pl.Title.TextStyle.Font.Size = vg.Points(8)
	for _, axis := range []*plot.Axis{&pl.X, &pl.Y} {
		axis.Scale, axis.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	}
	pl.Add(plotter.NewGrid())
	pl.Legend.Top, pl.Legend.Left = true, true
	pl.Legend.TextStyle.Font.Size = vg.Points(8)
	var all []any
	for _, s := range p.Series {
		points := make(plotter.XYs, len(s.Points))
		for i, at := range s.Points {
			points[i] = plotter.XY(at)
		}
		all = append(all, s.Name, points)
	}
	if err := plotutil.AddLinePoints(pl, all...); err != nil {
		return nil, err
	}
	// Whole decades, so that no axis is without a number.
	for _, axis := range []*plot.Axis{&pl.X, &pl.Y} {
		axis.Min = math.Pow(10, math.Floor(math.Log10(axis.Min)))
		axis.Max = math.Pow(10, math.Ceil(math.Log10(axis.Max)))
	}
	return pl, nil
}
