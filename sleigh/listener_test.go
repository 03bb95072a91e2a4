package sleigh

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestS14StderrThere has another process than the master read the standard error of a worker.
func TestS14StderrThere(t *testing.T) {
	t.Parallel()
	ws := embeddedWorkspace(t)
	s := stderrThere(ws, false, 3)
	for _, text := range []string{"a\nb", "c\n", strings.Repeat("x", lineBytes), "yz\nfatal"} {
		if n, err := fmt.Fprint(s, text); n != len(text) || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	}
	s.ended()
	s.close()
	var got []string
	l := &listener{
		output: func(l Line) { got = append(got, fmt.Sprint(l.Worker, l.Stream, l.Index, l.Text)) },
		hosts:  map[string]string{}, heard: map[string]int{}, more: make(chan struct{}),
	}
	for {
		var text []byte
		if found, err := ws.TryFetch(t.Context(), logVar, &text); err != nil || !found {
			break
		}
		l.take(text)
	}
	want := []string{"3stderr-1a", "3stderr-1bc", "3stderr-1" + strings.Repeat("x", lineBytes) + " … (cut: 2 bytes more)", "3stderr-1fatal"}
	if !slices.Equal(got, want) {
		t.Errorf("got %.100q", got)
	}
}

// TestS14LinesAreAwaited waits for lines that come, that are lost, and that come too late.
func TestS14LinesAreAwaited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got []string
		l := &listener{
			output: func(l Line) { got = append(got, fmt.Sprint(l.Worker, " ", l.Host, " ", l.Left, " ", l.Text)) },
			hosts:  map[string]string{}, heard: map[string]int{}, more: make(chan struct{}),
		}
		want := func(said printers, most time.Duration) {
			t.Helper()
			began := time.Now()
			l.await(t.Context(), said)
			if took := time.Since(began); took != most {
				t.Errorf("waited %v for %v, want %v", took, said, most)
			}
		}
		pageOf := func(before, left int, lines ...printed) []byte {
			text, _ := pageOf(3, "host", "one", before, left, lines)
			return text
		}
		want(printers{}, 0)
		time.AfterFunc(linesWait/2, func() { l.take(pageOf(0, 2, printed{Text: "a"}, printed{Text: "b"})) })
		want(printers{"one": 2}, linesWait/2)
		want(printers{"one": 3}, linesWait) // is lost
		want(printers{"one": 3}, 0)
		l.take(pageOf(2, 0, printed{Text: "c"})) // after all
		want(printers{"one": 4}, linesWait)
		time.AfterFunc(linesWait/2, func() {
			l.take([]byte(`{"left":{"3 one":4,"5 other":7},"lines":{},"batches":[]}`)) // were dropped in Redis
		})
		want(printers{"one": 8, "other": 7}, linesWait/2)
		if all := fmt.Sprint(got); all != "[3 host 2 … 2 lines were left out 3 host 0 a 3 host 0 b 3 host 0 c "+
			"3 host 4 … 4 lines were left out 5  7 … 7 lines were left out]" &&
			all != "[3 host 2 … 2 lines were left out 3 host 0 a 3 host 0 b 3 host 0 c "+
				"5  7 … 7 lines were left out 3 host 4 … 4 lines were left out]" {
			t.Errorf("got %s", all)
		}
	})
}
