package sleigh_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// sheet is a page of lines as it is in Redis.
type sheet struct {
	Left    map[string]int
	Lines   map[string]int
	Batches []struct {
		Worker int
		Client string
		Lines  []struct {
			Left int
			Text string
		}
	}
}

// newLog is a workspace with lines and no master.
func newLog(t *testing.T, rdb *redisx.Client) *workspace.Workspace {
	t.Helper()
	ws, err := workspace.Open(t.Context(), rdb, strings.ReplaceAll(t.Name(), "/", " "), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	return ws
}

// sheets reads all pages.
func sheets(t *testing.T, rdb *redisx.Client, ws *workspace.Workspace) []sheet {
	t.Helper()
	texts, err := rdb.Redis().LRange(t.Context(), "nws:{"+ws.Name()+"}:values:log", 0, -1).Result()
	if err != nil {
		t.Fatal(err)
	}
	var all []sheet
	for i, text := range texts {
		var p sheet
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatalf("page %d: %v", i, err)
		}
		if len(text) > sleigh.PageBytes {
			t.Errorf("page %d has %d bytes", i, len(text))
		}
		all = append(all, p)
	}
	return all
}

// TestS14PagesAreJoined stores lines of three workers while nobody reads them.
func TestS14PagesAreJoined(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		ws := newLog(t, rdb)
		const n = 300
		for i := range n {
			rank := i % 3
			if _, err := sleigh.StoreLines(t.Context(), ws, rank, fmt.Sprint("client-", rank), 0, i%2, fmt.Sprint(i), strings.Repeat("x", 300)); err != nil {
				t.Fatal(err)
			}
		}
		next, all, counted := 0, map[string]int{}, map[string]int{}
		pages := sheets(t, rdb, ws)
		for _, p := range pages {
			for _, b := range p.Batches {
				for _, l := range b.Lines {
					counted[fmt.Sprintf("%d %s", b.Worker, b.Client)] += max(l.Left, 1)
				}
				text := b.Lines[len(b.Lines)-2].Text
				if b.Worker != next%3 || text != fmt.Sprint(next) {
					t.Fatalf("after %d comes %s of worker %d", next-1, text, b.Worker)
				}
				next++
			}
			for whose, n := range p.Lines {
				all[whose] += n
			}
			if len(p.Left) > 0 {
				t.Errorf("left out: %v", p.Left)
			}
		}
		if next != n || len(pages) < 2 || len(pages) > 4 {
			t.Errorf("%d batches in %d pages", next, len(pages))
		}
		if !maps.Equal(all, counted) || all["0 client-0"] != 250 {
			t.Errorf("pages count %v, there are %v", all, counted)
		}
	})
}

// TestS14PagesAreDropped stores much more than may stay.
func TestS14PagesAreDropped(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		ws := newLog(t, rdb)
		stored := map[string]int{}
		for i := range 3 * sleigh.MostPages {
			texts := make([]string, 50)
			for k := range texts {
				texts[k] = strings.Repeat("x", 1000) + fmt.Sprintf(" %d/%d", i, k)
			}
			n, err := sleigh.StoreLines(t.Context(), ws, i%3, fmt.Sprint("client-", i%3), 0, 7, texts...)
			if err != nil {
				t.Fatal(err)
			}
			stored[fmt.Sprintf("%d client-%d", i%3, i%3)] += n + 7
		}
		pages := sheets(t, rdb, ws)
		if len(pages) != sleigh.MostPages {
			t.Errorf("%d pages", len(pages))
		}
		found := map[string]int{}
		for i, p := range pages {
			for whose, n := range p.Lines {
				found[whose] += n
			}
			for whose, n := range p.Left {
				found[whose] += n
			}
			if (i == 0) != (len(p.Left) > 0) {
				t.Errorf("before page %d are left out %v", i, p.Left)
			}
		}
		if !maps.Equal(found, stored) {
			t.Errorf("found %v of %v", found, stored)
		}
	})
}

// TestS14PagesByHand has values in the variable that are no pages: they are neither joined nor counted.
func TestS14PagesByHand(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		ws := newLog(t, rdb)
		byHand := []any{"hello", 7, nil, map[string]int{"left": 3}}
		if err := ws.StoreAll(t.Context(), "log", byHand...); err != nil {
			t.Fatal(err)
		}
		if _, err := sleigh.StoreLines(t.Context(), ws, 0, "client", 0, 0, "text"); err != nil {
			t.Fatal(err)
		}
		values, err := ws.FetchN(t.Context(), "log", 100)
		if err != nil || len(values) != 5 || string(values[0]) != `"hello"` {
			t.Fatalf("got %q, %v", values, err)
		}
		for range 2 * sleigh.MostPages {
			if err := ws.StoreAll(t.Context(), "log", byHand[0]); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if _, err := sleigh.StoreLines(t.Context(), ws, 0, "client", 0, 0, "text"); err != nil {
				t.Fatal(err)
			}
		}
		pages := sheets(t, rdb, ws)
		if len(pages) != 1 || pages[0].Lines["0 client"] != 2 || len(pages[0].Left) != 0 {
			t.Errorf("got %+v", pages)
		}
	})
}

func TestS14Cut(t *testing.T) {
	t.Parallel()
	full := strings.Repeat("x", sleigh.LineBytes)
	for name, c := range map[string]struct {
		text, want string
		more       int
	}{
		"short":       {text: "short", want: "short"},
		"empty":       {},
		"full":        {text: full, want: full},
		"one more":    {text: full + "y", want: full + " … (cut: 1 bytes more)"},
		"known":       {text: full, more: 5, want: full + " … (cut: 5 bytes more)"},
		"character":   {text: full[1:] + "é", want: full[1:] + " … (cut: 2 bytes more)"},
		"half of one": {text: full[2:] + "世", want: full[2:] + " … (cut: 3 bytes more)"},
	} {
		got := sleigh.Cut(c.text, c.more)
		if got != c.want || !utf8.ValidString(got) {
			t.Errorf("%s: got … %q", name, got[max(0, len(got)-40):])
		}
	}
}
