package main

import (
	"context"
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
	what string // what is compared
}

// isWanted reports whether any of the rows is.
func (f *family) isWanted(o *options) bool {
	return slices.ContainsFunc(f.rows, func(r row) bool { return o.wantsRow(r.name) })
}

// reports are those of the rows that are wanted.
func (f *family) reports(o *options, r *rounds) []rowReport {
	var all []rowReport
	for _, row := range f.rows {
		if o.wantsRow(row.name) {
			all = append(all, reportOf(row, r.samples[row.name]))
		}
	}
	return all
}
