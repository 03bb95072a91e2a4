package workspacetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netspaces/netspaces/workspace"
)

// spec is the state of one variable in the sequential specification that histories are checked against. It is a value: two
// that are equal are the same state. Values are runes, each stored once in a history.
//
// A fetch that waits has a value handed to it in the moment in which that is stored. If the fetch ends without it after
// all, since its context ended, the value was out of sight for that time, and comes back to where it was. So the
// specification has such a fetch be a borrower: it may take a value and return it, both at some time before it ends.
type spec struct {
	mode    workspace.Mode // empty where there is no such variable
	values  string         // the oldest first; sorted if the mode is multi, where no order can be seen
	loans   string         // pairs of a borrower and what it has taken, or none if it has not yet
	takers  rune           // fetches of which it is not known whether they took a value, and which have not
	batches string         // pairs of a StoreAll that has begun and not ended, and how many of its values are stored
	deleted rune           // how often
	waiters string         // pairs of a call that waits and ends with ErrVarDeleted, and how often had been deleted before
}

// none stands for no value.
const none rune = 0

func (s spec) next() []rune {
	values := []rune(s.values)
	switch {
	case len(values) == 0:
		return nil
	case s.mode == workspace.Multi:
		return values
	case s.mode == workspace.LIFO || s.mode == workspace.Single:
		return values[len(values)-1:]
	default:
		return values[:1]
	}
}

// known is the state after somebody has asked for the variable.
func (s spec) known() spec {
	if s.mode == "" {
		s.mode = workspace.Unknown
	}
	return s
}

func (s spec) declare(mode workspace.Mode) spec {
	s.mode = mode
	return s
}

func (s spec) store(value rune) spec {
	if s.mode == "" || s.mode == workspace.Unknown {
		s.mode = workspace.FIFO
	}
	switch s.mode {
	case workspace.Single: // it replaces what is there, and what is lent
		s.values = string(value)
		s.loans = unlent(s.loans)
	case workspace.Multi:
		s.values = sorted(s.values + string(value))
	default:
		s.values += string(value)
	}
	return s
}

// take is for a value of next.
func (s spec) take(value rune) spec {
	s.values = strings.Replace(s.values, string(value), "", 1)
	return s
}

// putBack makes a value the next again.
func (s spec) putBack(value rune) spec {
	switch s.mode {
	case workspace.Single:
		if s.values == "" {
			s.values = string(value)
		}
	case workspace.Multi:
		s.values = sorted(s.values + string(value))
	case workspace.LIFO:
		s.values += string(value)
	default:
		s.values = string(value) + s.values
	}
	return s
}

// deleteVar drops all values, those on loan too.
func (s spec) deleteVar() spec {
	return spec{loans: unlent(s.loans), takers: s.takers, batches: s.batches, deleted: s.deleted + 1, waiters: s.waiters}
}

// unlent drops what is on loan.
func unlent(loans string) string {
	runes := []rune(loans)
	for i := 0; i < len(runes); i += 2 {
		if runes[i+1] != none {
			loans = unset(loans, runes[i])
		}
	}
	return loans
}

// unseen are the states that may follow without a step: a borrower takes a value or returns it, or makes the variable known;
// a fetch of which that is not known takes one of those among which it must be.
func (s spec) unseen(among string) []spec {
	var all []spec
	for _, value := range s.next() {
		if s.takers > 0 && strings.ContainsRune(among, value) {
			taken := s.take(value)
			taken.takers--
			all = append(all, taken)
		}
	}
	loans := []rune(s.loans)
	for i := 0; i < len(loans); i += 2 {
		borrower, lent := loans[i], loans[i+1]
		if lent != none {
			back := s.putBack(lent)
			back.loans = unset(s.loans, borrower)
			all = append(all, back)
			continue
		}
		if s.mode == "" {
			all = append(all, s.known())
		}
		for _, value := range s.next() {
			taken := s.take(value)
			taken.loans = set(s.loans, borrower, value)
			all = append(all, taken)
		}
	}
	return all
}

func sorted(values string) string {
	runes := []rune(values)
	slices.Sort(runes)
	return string(runes)
}

// get reads one of the pairs, by its first rune.
func get(pairs string, key rune) (rune, bool) {
	runes := []rune(pairs)
	for i := 0; i < len(runes); i += 2 {
		if runes[i] == key {
			return runes[i+1], true
		}
	}
	return none, false
}

// set adds or replaces a pair, which stay in the order of their first runes.
func set(pairs string, key, value rune) string {
	pairs = unset(pairs, key)
	runes := []rune(pairs)
	i := 0
	for i < len(runes) && runes[i] < key {
		i += 2
	}
	return string(slices.Insert(runes, i, key, value))
}

func unset(pairs string, key rune) string {
	runes := []rune(pairs)
	for i := 0; i < len(runes); i += 2 {
		if runes[i] == key {
			return string(slices.Delete(runes, i, i+2))
		}
	}
	return pairs
}

func (s spec) String() string {
	mode := s.mode
	if mode == "" {
		mode = "missing"
	}
	text := fmt.Sprint(mode, " ", []rune(s.values))
	if s.loans != "" {
		text += fmt.Sprint(" borrowers ", []rune(s.loans))
	}
	return text
}
