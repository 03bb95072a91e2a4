package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Column is one column of a table of T.
type Column[T any] struct {
	Title string
	Cell  func(T) any // numbers are aligned at the right
}

// PrintTable prints values: with --json a line of JSON for each, else a table with a row for each. On a terminal it is as
// wide as that at most. Without values it prints nothing.
func PrintTable[T any](r *Run, values []T, columns []Column[T]) error {
	if r.JSON {
		return r.PrintJSON(anys(values)...)
	}
	if len(values) == 0 {
		return nil
	}
	width, _ := r.Stdout.Size()
	_, err := io.WriteString(r.Stdout, Table(r.Stdout, values, columns, width))
	return err
}

// Table draws a table that is not wider than that, if width is not 0, with the bold titles of that screen.
func Table[T any](s *Screen, values []T, columns []Column[T], width int) string {
	t := table.NewWriter()
	t.SetStyle(table.Style{
		Box: table.BoxStyle{PaddingRight: "  ", UnfinishedRow: "…"},
		Format: table.FormatOptions{
			Header: text.FormatDefault, Row: text.FormatDefault,
		},
	})
	t.Style().Size.WidthMax = width
	t.SuppressTrailingSpaces()
	titles, configs := table.Row{}, []table.ColumnConfig{}
	for i, column := range columns {
		titles = append(titles, column.Title)
		if len(values) > 0 && isNumber(column.Cell(values[0])) {
			configs = append(configs, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
		}
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(titles)
	for _, value := range values {
		row := table.Row{}
		for _, column := range columns {
			row = append(row, Visible(fmt.Sprint(column.Cell(value))))
		}
		t.AppendRow(row)
	}
	head, rows, _ := strings.Cut(t.Render(), "\n")
	if rows != "" {
		rows += "\n"
	}
	return s.Bold(head) + "\n" + rows
}

func anys[T any](values []T) []any {
	all := make([]any, len(values))
	for i, value := range values {
		all[i] = value
	}
	return all
}

func isNumber(cell any) bool {
	switch cell.(type) {
	case int, int64, uint64, float64:
		return true
	}
	return false
}

// Visible is a text in one line without characters that would do something to a terminal.
func Visible(value string) string {
	value = strings.ToValidUTF8(value, "\ufffd")
	if strings.IndexFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return value
	}
	var shown strings.Builder
	for _, r := range value {
		if unicode.IsPrint(r) {
			shown.WriteRune(r)
		} else {
			quoted := fmt.Sprintf("%+q", r)
			shown.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return shown.String()
}
