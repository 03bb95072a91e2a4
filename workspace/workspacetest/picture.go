package workspacetest

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

const drawTime = 5 * time.Second

// draw leaves a page that shows the steps of variables that could not be explained, and how far they could.
func (h *history) draw(bad []porcupine.Operation) {
	h.Helper()
	for _, part := range partition(bad) {
		h.Logf("variable %q:\n%s", part[0].Input.(step).variable, listed(part))
	}
	_, info := porcupine.CheckOperationsVerbose(specModel, bad, drawTime)
	file, err := os.Create(filepath.Join(h.ArtifactDir(), fmt.Sprintf("history%d.html", h.seed)))
	if err == nil {
		err = porcupine.Visualize(specModel, info, file)
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		h.Error(err)
		return
	}
	h.Logf("shown by %s; go test -artifacts keeps that", file.Name())
}

// listed gives steps in the order of their beginnings.
func listed(part []porcupine.Operation) string {
	part = slices.Clone(part)
	slices.SortStableFunc(part, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	var text strings.Builder
	for _, op := range part {
		end := "ever"
		if op.Return != ever {
			end = micros(op.Return)
		}
		fmt.Fprintf(&text, "%12s %12s  %d  %v\n", micros(op.Call), end, op.ClientId, op.Input)
	}
	return text.String()
}

func micros(ns int64) string { return time.Duration(ns).Round(time.Microsecond).String() }
