package workspacetest

import (
	"testing"

	"github.com/anishathalye/porcupine"
)

// HistoryFails makes histories until one is Illegal, and fails the test if none of n is. A test that switches off what
// histories are to prove calls it, so that it is known that they see.
func HistoryFails(t *testing.T, stage *Stage, n int) {
	t.Helper()
	for seed := range uint64(n) {
		if History(t, stage, &HistoryOptions{Seed: seed + 1}) == porcupine.Illegal {
			return
		}
	}
	t.Errorf("none of %d histories is Illegal", n)
}
