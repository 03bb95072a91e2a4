package workspacetest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// draw leaves a page that shows the history and how far it could be explained, and tells of the variables that could not.
func (h *history) draw(ops []porcupine.Operation, info porcupine.LinearizationInfo) {
	h.Helper()
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
	for _, part := range partition(ops) {
		if result := porcupine.CheckOperationsTimeout(specModel, part, checkTime); result != porcupine.Ok {
			h.Logf("variable %q is %s:\n%s", part[0].Input.(step).variable, result, listed(part))
		}
	}
	h.Logf("all of it is shown by %s; go test -artifacts keeps that", file.Name())
}

// listed gives steps in the order of their beginnings.
func listed(part []porcupine.Operation) string {
	part = slices.Clone(part)
	slices.SortFunc(part, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
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
