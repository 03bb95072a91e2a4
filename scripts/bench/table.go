package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// printTables prints what was measured for people to read.
func (r *report) printTables(w io.Writer) error {
	fmt.Fprintln(w, r.Machine)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(r.Rows) > 0 {
		fmt.Fprintf(t, "\nname\tours\ttheirs\tratio\tgoal\tspread\trounds\t\n")
	}
	for _, row := range r.Rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%.3g\t%s\t%.0f %%\t%d\t%s\n", row.Name, row.Unit.format(row.Ours), row.Unit.format(row.Theirs),
			row.Ratio, row.Goal, 100*row.Spread, row.Rounds, row.verdict())
	}
	for _, p := range r.Curves {
		p.printTo(t)
	}
	for _, s := range r.Studies {
		s.printTo(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, row := range r.Rows {
		if text := row.floor(); text != "" {
			fmt.Fprintln(w, "\n"+text)
		}
	}
	return nil
}

func (row rowReport) verdict() string {
	switch {
	case row.Fails:
		return "missed by far"
	case row.Met < 1:
		return "missed"
	}
	return ""
}

// floor says what is demanded where the goal is out of reach.
func (row rowReport) floor() string {
	g := goals[row.Name]
	if g.why == "" {
		return ""
	}
	return fmt.Sprintf("%s: its goal is out of reach, since %s; --check wants %s.", row.Name, g.why, g.bound(g.demanded()))
}

// printTo has a column for each series, which all have the same points on the X axis.
func (p panel) printTo(w io.Writer) {
	fmt.Fprintf(w, "\n%s: %s, in %s\n%s", p.Name, p.Title, p.Y, p.X)
	for _, s := range p.Series {
		fmt.Fprintf(w, "\t%s", s.Name)
	}
	for i, at := range p.Series[0].Points {
		fmt.Fprintf(w, "\t\n%.0f", at.X)
		for _, s := range p.Series {
			fmt.Fprintf(w, "\t%s", three(s.Points[i].Y))
		}
	}
	fmt.Fprint(w, "\t\ngrows as")
	for _, s := range p.Series {
		fmt.Fprintf(w, "\tx^%.2f", exponent(s.Points))
	}
	fmt.Fprint(w, "\t\n")
	for _, s := range p.Steps {
		fmt.Fprintf(w, "a step: %v\n", s)
	}
}

// printRows says what each row compares.
func printRows(w io.Writer, families []family) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range families {
		for _, r := range f.rows {
			fmt.Fprintf(t, "%s\t%s\t%s\n", r.name, goals[r.name], r.what)
		}
	}
	for _, c := range curves {
		fmt.Fprintf(t, "%s\t(curve)\t%s\n", c.name, c.what)
	}
	for _, s := range studies {
		fmt.Fprintf(t, "%s\t(study)\t%s\n", s.name, s.what)
	}
	t.Flush()
}
