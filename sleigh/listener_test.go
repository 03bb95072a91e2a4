package sleigh

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

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
