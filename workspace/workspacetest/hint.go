package workspacetest

import (
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/netspaces/netspaces/workspace"
)

const (
	hintTime  = 5 * time.Second
	checkTime = time.Minute
)

// checkHistory asks porcupine, variable by variable, and gives those steps that it could not explain.
func checkHistory(history []porcupine.Operation) (result porcupine.CheckResult, bad []porcupine.Operation) {
	result = porcupine.Ok
	for _, part := range partition(history) {
		// Of steps with less time to happen in, any explanation is one of the history too, and is found sooner.
		if porcupine.CheckOperationsTimeout(specModel, hinted(part), hintTime) == porcupine.Ok {
			continue
		}
		switch porcupine.CheckOperationsTimeout(specModel, part, checkTime) {
		case porcupine.Illegal:
			result = porcupine.Illegal
		case porcupine.Unknown:
			if result == porcupine.Ok {
				result = porcupine.Unknown
			}
		default:
			continue
		}
		bad = append(bad, part...)
	}
	return result, bad
}

// hinted guesses from the order in which values were fetched that in which they were stored, where that happened at the
// same time. Otherwise it comes out only when they are fetched, and so after many wrong ways were gone. Borrowers can make
// the guess wrong.
func hinted(part []porcupine.Operation) []porcupine.Operation {
	part = slices.Clone(part)
	mode := part[0].Input.(step).mode
	if mode != workspace.FIFO && mode != workspace.LIFO {
		return part
	}
	fetches := map[rune]porcupine.Operation{}
	var stores []*porcupine.Operation
	for i, op := range part {
		switch st := op.Input.(step); st.kind {
		case fetched:
			fetches[st.value] = op
		case stored:
			stores = append(stores, &part[i])
		}
	}
	for _, a := range stores {
		for _, b := range stores {
			fa, oka := fetches[a.Input.(step).value]
			fb, okb := fetches[b.Input.(step).value]
			if !okb || oka && fb.Return >= fa.Call {
				continue
			}
			// b was fetched first, or only b was.
			switch {
			case mode == workspace.FIFO:
				precede(b, a)
			case fb.Call > max(a.Call, b.Call): // both were there, perhaps
				precede(a, b)
			}
		}
	}
	return part
}

// precede takes from two steps the time in which the second could happen before the first, if both still could happen then.
func precede(first, second *porcupine.Operation) {
	from, to := max(first.Call, second.Call), min(first.Return, second.Return)
	if from+1 >= to {
		return
	}
	middle := from + (to-from)/2
	first.Return, second.Call = middle, middle+1
}
