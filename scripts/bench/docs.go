package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// writeDocs puts what was measured into performance.md of a folder, between marks that name the part, and pictures beside it.
// Parts that were not measured stay as they are.
func (r *report) writeDocs(dir string, o *options) error {
	file := filepath.Join(dir, "performance.md")
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text := string(old)
	parts := map[string]string{}
	if len(o.only) == 0 {
		parts["rows"] = r.rowsInMarkdown()
	}
	for _, p := range r.Curves {
		picture := filepath.Join("performance", p.Name+".svg")
		if err := os.MkdirAll(filepath.Join(dir, "performance"), 0o755); err != nil {
			return err
		}
		if err := drawPanels([]panel{p}, filepath.Join(dir, picture)); err != nil {
			return err
		}
		parts[p.Name] = p.inMarkdown(filepath.ToSlash(picture))
	}
	for _, s := range r.Studies {
		parts[s.Name] = s.inMarkdown()
	}
	for name, part := range parts {
		if name == "rows" || len(o.only) > 0 { // one machine is enough where all was measured
			part = r.Machine.String() + "\n\n" + part
		}
		if text, err = between(text, name, part); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

// between replaces what is between the marks of a part.
func between(text, name, part string) (string, error) {
	begin, end := fmt.Sprintf("<!-- bench: %s -->\n", name), fmt.Sprintf("<!-- end: %s -->\n", name)
	before, rest, found := strings.Cut(text, begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return "", fmt.Errorf("there are no marks %q and %q", strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return before + begin + "\n" + strings.TrimSpace(part) + "\n\n" + end + after, nil
}

func (r *report) rowsInMarkdown() string {
	var b strings.Builder
	headOf(&b, []string{"name", "what is compared", "ours", "theirs", "ratio", "goal", "spread", ""})
	whats := map[string]string{}
	for _, f := range families {
		for _, row := range f.rows {
			whats[row.name] = row.what
		}
	}
	for _, row := range r.Rows {
		rowOf(&b, []string{
			"`" + row.Name + "`", whats[row.Name], row.Unit.format(row.Ours), row.Unit.format(row.Theirs), fmt.Sprintf("%.3g", row.Ratio),
			row.Goal, fmt.Sprintf("%.0f %%", 100*row.Spread), row.verdict(),
		})
	}
	for _, row := range r.Rows {
		if text := row.floor(); text != "" {
			fmt.Fprintf(&b, "\n- %s", text)
		}
	}
	return b.String()
}

// inMarkdown is the picture, with its numbers below.
func (p panel) inMarkdown(picture string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "![%s](%s)\n\n", p.Title, picture)
	columns := []string{p.X}
	for _, s := range p.Series {
		columns = append(columns, s.Name)
	}
	headOf(&b, columns)
	for i, at := range p.Series[0].Points {
		cells := []string{fmt.Sprintf("%.0f", at.X)}
		for _, s := range p.Series {
			cells = append(cells, three(s.Points[i].Y))
		}
		rowOf(&b, cells)
	}
	fmt.Fprintf(&b, "\nIn %s.", p.Y)
	if len(p.Steps) == 0 {
		fmt.Fprint(&b, " No steps.")
	}
	for _, s := range p.Steps {
		fmt.Fprintf(&b, " A step: %v.", s)
	}
	return b.String()
}

func (s *sheet) inMarkdown() string {
	var b strings.Builder
	headOf(&b, s.Columns)
	for _, cells := range s.Lines {
		rowOf(&b, cells)
	}
	return b.String()
}

// headOf begins a table.
func headOf(b *strings.Builder, columns []string) {
	rowOf(b, columns)
	b.WriteString(strings.Repeat("| --- ", len(columns)) + "|\n")
}

func rowOf(b *strings.Builder, cells []string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}
