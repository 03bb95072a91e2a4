package workspacetest

import (
	"math"
	"slices"

	"github.com/anishathalye/porcupine"

	"github.com/netspaces/netspaces/workspace"
)

// ever is the end of a call of which it is not known what became of it: it may act later, or at the very end and so never.
const ever int64 = math.MaxInt64

// sharpen says what the whole history tells of stores and fetches of which was not known what became of them. Nothing is
// assumed: there are only fewer cases left to try, which grow fast with their number.
func sharpen(history []porcupine.Operation) []porcupine.Operation {
	var all []porcupine.Operation
	for _, part := range partition(history) {
		all = append(all, newSights(part).sharpen(part)...)
	}
	return all
}

// sights is what became of the values of one variable.
type sights struct {
	seen    map[rune]int64 // value → when somebody had found or fetched it
	fetched map[rune]bool
	ordered bool // the variable is declared first, and keeps what is stored into it until it is fetched
}

func newSights(part []porcupine.Operation) *sights {
	s := &sights{seen: map[rune]int64{}, fetched: map[rune]bool{}}
	s.ordered = len(part) > 0 && part[0].Input.(step).kind == declared
	for _, op := range part {
		st := op.Input.(step)
		switch st.kind {
		case fetched, found:
			s.fetched[st.value] = s.fetched[st.value] || st.kind == fetched
			if end, ok := s.seen[st.value]; !ok || op.Return < end {
				s.seen[st.value] = op.Return
			}
		case declared, declaring:
			s.ordered = s.ordered && st.mode != workspace.Single
		case deleted, deleting:
			s.ordered = false
		}
	}
	return s
}

// stored is when a value of a store had been stored, as far as it is known.
func (s *sights) stored(part []porcupine.Operation, op porcupine.Operation) int64 {
	end := op.Return
	for _, other := range part {
		st := other.Input.(step)
		if st.kind == stored && st.call == op.Input.(step).call && st.place >= op.Input.(step).place {
			if at, ok := s.seen[st.value]; ok {
				end = min(end, at)
			}
		}
	}
	return end
}

func (s *sights) sharpen(part []porcupine.Operation) []porcupine.Operation {
	var lost []rune
	kept := slices.Clone(part)[:0]
	ends := map[rune]int{} // StoreAll → where in kept its last value is
	for _, op := range part {
		st := op.Input.(step)
		if st.kind != stored {
			kept = append(kept, op)
			continue
		}
		if op.Return = s.stored(part, op); op.Return == ever && s.ordered {
			continue // nobody has seen it: it was not stored, or taken by a fetch of which nothing is known
		}
		if !s.fetched[st.value] {
			lost = append(lost, st.value)
		}
		ends[st.call] = len(kept)
		kept = append(kept, op)
	}
	for _, i := range ends {
		st := kept[i].Input.(step)
		st.last = true
		kept[i].Input = st
	}
	for i, op := range kept {
		st := op.Input.(step)
		st.among = string(lost)
		kept[i].Input = st
	}
	return slices.DeleteFunc(kept, func(op porcupine.Operation) bool {
		kind := op.Input.(step).kind
		return kind == mayTake && len(lost) == 0 || kind == asked && s.ordered
	})
}
