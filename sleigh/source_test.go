package sleigh

import (
	"context"
	"testing"
)

// A sequence that returns since the caller's context has ended is not at its end, although what comes from that context has
// not ended yet.
func TestSequenceCutOff(t *testing.T) {
	for name, cut := range map[string]bool{"at its end": false, "cut off": true} {
		t.Run(name, func(t *testing.T) {
			caller, cancel := context.WithCancel(t.Context())
			defer cancel()
			q := newSequence(func(yield func(int) bool) {
				if yield(1); cut {
					cancel()
				}
			})
			q.ahead(2)
			if err := q.pull(t.Context(), caller, func() {}); (err != nil) != cut {
				t.Errorf("pull: %v", err)
			}
			if _, n, _, ended := q.take(1); n != 1 || ended == cut {
				t.Errorf("%d elements, at its end: %v", n, ended)
			}
		})
	}
}
