package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// study is a question that a table answers, rather than a ratio or a curve.
type study struct {
	name    string
	what    string
	measure func(ctx context.Context, b *bench) (*sheet, error)
}

// sheet is the answer.
type sheet struct {
	Name    string     `json:"name"`
	Title   string     `json:"title"`
	Columns []string   `json:"columns"`
	Lines   [][]string `json:"lines"`
}

func (s *sheet) add(cells ...string) { s.Lines = append(s.Lines, cells) }

func (s *sheet) printTo(w io.Writer) {
	fmt.Fprintf(w, "\n%s: %s\n%s\n", s.Name, s.Title, strings.Join(s.Columns, "\t"))
	for _, cells := range s.Lines {
		fmt.Fprintf(w, "%s\t\n", strings.Join(cells, "\t"))
	}
}

func (b *bench) measureStudies(ctx context.Context, o *options, r *report, stderr io.Writer) error {
	for _, s := range studies {
		if !o.wantsStudy(s.name) {
			continue
		}
		began := time.Now()
		sheet, err := s.measure(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, errors.Join(context.Cause(ctx), err))
		}
		sheet.Name, sheet.Title = s.name, s.what
		r.Studies = append(r.Studies, sheet)
		fmt.Fprintf(stderr, "%s: %v\n", s.name, time.Since(began).Round(100*time.Millisecond))
	}
	return nil
}
