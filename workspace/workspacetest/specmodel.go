package workspacetest

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
)

// possible are all states in which a variable may be, after some steps in some order.
type possible struct {
	specs []spec
	key   string // the same for the same states
}

// specModel has porcupine check each variable by itself.
var specModel = porcupine.Model{
	Partition: partition,
	Init:      func() any { return newPossible([]spec{{}}, "") },
	Step: func(state, input, _ any) (bool, any) {
		st := input.(step)
		var specs []spec
		for _, s := range state.(possible).specs {
			specs = append(specs, st.after(s)...)
		}
		return len(specs) > 0, newPossible(specs, st.among)
	},
	Equal:             func(a, b any) bool { return a.(possible).key == b.(possible).key },
	Hash:              func(state any) uint64 { return maphash.String(hashSeed, state.(possible).key) },
	DescribeOperation: func(input, _ any) string { return input.(step).String() },
	DescribeState: func(state any) string {
		var texts []string
		for _, s := range state.(possible).specs {
			texts = append(texts, s.String())
		}
		return strings.Join(texts, " or ")
	},
}

var hashSeed = maphash.MakeSeed()

// newPossible adds the states that may follow unseen.
func newPossible(specs []spec, among string) possible {
	p := possible{specs: []spec{}}
	seen := map[spec]bool{}
	for len(specs) > 0 {
		s := specs[len(specs)-1]
		if specs = specs[:len(specs)-1]; !seen[s] {
			seen[s] = true
			p.specs = append(p.specs, s)
			specs = append(specs, s.unseen(among)...)
		}
	}
	slices.SortFunc(p.specs, func(a, b spec) int {
		return cmp.Or(cmp.Compare(a.mode, b.mode), cmp.Compare(a.values, b.values), cmp.Compare(a.loans, b.loans),
			cmp.Compare(a.takers, b.takers), cmp.Compare(a.batches, b.batches), cmp.Compare(a.deleted, b.deleted),
			cmp.Compare(a.waiters, b.waiters))
	})
	var key strings.Builder
	for _, s := range p.specs {
		fmt.Fprintf(&key, "%s %q %q %d %q %d %q\n", s.mode, s.values, s.loans, s.takers, s.batches, s.deleted, s.waiters)
	}
	p.key = key.String()
	return p
}

func partition(history []porcupine.Operation) [][]porcupine.Operation {
	numbers := map[string]int{}
	var parts [][]porcupine.Operation
	for _, op := range history {
		name := op.Input.(step).variable
		i, ok := numbers[name]
		if !ok {
			i = len(parts)
			numbers[name] = i
			parts = append(parts, nil)
		}
		parts[i] = append(parts[i], op)
	}
	return parts
}
