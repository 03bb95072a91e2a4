package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// options are the command line.
type options struct {
	quick, json, check, list bool
	all, curves              bool     // studies and curves, or curves, in addition to rows
	only                     []string // names of rows and curves; none: all rows
	repeats                  int
	docs                     string
	plot                     string
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	var only string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&o.quick, "quick", false, "small sizes, and no more repeats than fit into a minute")
	flags.BoolVar(&o.json, "json", false, "print one JSON object, and nothing else, on stdout")
	flags.BoolVar(&o.check, "check", false, "exit with 1 where a ratio is not even half as good as its goal")
	flags.BoolVar(&o.list, "list", false, "say what each row compares, and measure nothing")
	flags.BoolVar(&o.curves, "curves", false, "measure growth curves, too; this takes minutes")
	flags.BoolVar(&o.all, "all", false, "measure all: rows, curves and studies; this takes a quarter of an hour")
	flags.StringVar(&o.plot, "plot", "", "measure growth curves, and draw them to this `file` (.png, .svg, .pdf)")
	flags.StringVar(&o.docs, "docs", "", "put tables and pictures into performance.md of this `folder`")
	flags.StringVar(&only, "only", "", "measure these `rows`, curves or studies alone, separated by commas; \"curves\" are all curves")
	flags.IntVar(&o.repeats, "repeats", 3, "how often each row is measured; medians are printed")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	o.curves = o.curves || o.all || o.plot != ""
	if only != "" {
		o.only = strings.Split(only, ",")
	}
	if err := o.validate(flags.Args()); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return nil, err
	}
	return o, nil
}

func (o *options) validate(rest []string) error {
	if len(rest) > 0 {
		return fmt.Errorf("unexpected argument %q", rest[0])
	}
	if o.repeats < 1 {
		return fmt.Errorf("--repeats %d: at least 1 is needed", o.repeats)
	}
	for _, name := range o.only {
		if !slices.Contains(allNames(), name) {
			return fmt.Errorf("there is nothing called %q; there are %s", name, strings.Join(allNames(), ", "))
		}
	}
	return nil
}

// allNames are what --only knows.
func allNames() []string {
	names := []string{"curves"}
	for _, f := range families {
		for _, r := range f.rows {
			names = append(names, r.name)
		}
	}
	for _, c := range curves {
		names = append(names, c.name)
	}
	for _, s := range studies {
		names = append(names, s.name)
	}
	return names
}

func (o *options) wantsRow(name string) bool {
	return len(o.only) == 0 || slices.Contains(o.only, name)
}

func (o *options) wantsCurve(name string) bool {
	if len(o.only) == 0 {
		return o.curves
	}
	return slices.Contains(o.only, name) || slices.Contains(o.only, "curves")
}

func (o *options) wantsStudy(name string) bool {
	if len(o.only) == 0 {
		return o.all
	}
	return slices.Contains(o.only, name)
}

// curveRepeats is how often each curve is measured.
func (o *options) curveRepeats() int {
	if o.quick {
		return 1
	}
	return o.repeats
}
