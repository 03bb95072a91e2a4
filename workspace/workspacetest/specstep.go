package workspacetest

import (
	"fmt"
	"unicode/utf8"

	"github.com/netspaces/netspaces/workspace"
)

// step is what happened at one moment between the beginning and the end of a call. Most calls are one step.
type step struct {
	kind     stepKind
	variable string
	value    rune           // stored, fetched or found
	mode     workspace.Mode // declared
	call     rune           // which call it belongs to, if that has several steps
	place    rune           // of a value in its StoreAll
	last     bool           // it is the last of the StoreAll
	among    string         // of all steps of a variable: which values a fetch may have taken of which that is not known
}

type stepKind string

const (
	stored    stepKind = "store"
	fetched   stepKind = "fetch"
	found     stepKind = "find"
	empty     stepKind = "nothing there" // a try form says so
	asked     stepKind = "may ask"       // a find that ended without a value: it may have made the variable known
	mayTake   stepKind = "may take from now on"
	borrows   stepKind = "may borrow from now on"
	returned  stepKind = "has returned it" // after borrows
	begins    stepKind = "begins to wait"
	woken     stepKind = "woken by a delete" // after begins
	declared  stepKind = "declare"
	otherMode stepKind = "declared otherwise"
	declaring stepKind = "may declare" // not known
	deleted   stepKind = "delete"
	noVar     stepKind = "no such variable"
	deleting  stepKind = "may delete" // not known
)

// after gives the states that may follow this step; none if it could not be.
func (st step) after(s spec) []spec {
	switch st.kind {
	case stored:
		return st.store(s)
	case fetched, found:
		for _, value := range s.next() {
			if value == st.value {
				if st.kind == fetched {
					s = s.take(value)
				}
				return []spec{s}
			}
		}
	case empty:
		if s.values == "" {
			return []spec{s.known()}
		}
	case asked:
		return maybe(s, s.known())
	case mayTake:
		s.takers = min(s.takers+1, rune(utf8.RuneCountInString(st.among)))
		return []spec{s}
	case borrows:
		s.loans = set(s.loans, st.call, none)
		return []spec{s}
	case returned:
		if lent, _ := get(s.loans, st.call); lent == none {
			s.loans = unset(s.loans, st.call)
			return []spec{s}
		}
	case begins:
		s = s.known()
		s.waiters = set(s.waiters, st.call, s.deleted)
		return []spec{s}
	case woken:
		if then, ok := get(s.waiters, st.call); ok && s.deleted > then {
			s.waiters = unset(s.waiters, st.call)
			return []spec{s}
		}
	case declared:
		if s.mode == "" || s.mode == workspace.Unknown || s.mode == st.mode {
			return []spec{s.declare(st.mode)}
		}
	case otherMode:
		if s.mode != "" && s.mode != workspace.Unknown && s.mode != st.mode {
			return []spec{s}
		}
	case declaring:
		if s.mode == "" || s.mode == workspace.Unknown {
			return maybe(s, s.declare(st.mode))
		}
		return []spec{s}
	case deleted:
		if s.mode != "" {
			return []spec{s.deleteVar()}
		}
	case noVar:
		if s.mode == "" {
			return []spec{s}
		}
	case deleting:
		if s.mode != "" {
			return maybe(s, s.deleteVar())
		}
		return []spec{s}
	}
	return nil
}

func maybe(a, b spec) []spec {
	if a == b {
		return []spec{a}
	}
	return []spec{a, b}
}

// store acts for one value of a StoreAll, when its turn has come.
func (st step) store(s spec) []spec {
	if done, _ := get(s.batches, st.call); done != st.place {
		return nil
	}
	if s.batches = unset(s.batches, st.call); !st.last {
		s.batches = set(s.batches, st.call, st.place+1)
	}
	return []spec{s.store(st.value)}
}

func (st step) String() string {
	switch st.kind {
	case stored, fetched, found:
		return fmt.Sprint(st.kind, " ", st.value)
	case declared, otherMode, declaring:
		return fmt.Sprint(st.kind, " ", st.mode)
	default:
		return string(st.kind)
	}
}
