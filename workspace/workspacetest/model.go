package workspacetest

import (
	"cmp"
	"slices"

	"github.com/netspaces/netspaces/workspace"
)

// model is what a workspace should do when one call comes after the other: the sequential specification in plain Go.
type model struct {
	vars   map[string]*modelVar
	claims int // made so far
	parts  int // released so far
}

// modelVar is one variable.
type modelVar struct {
	mode    workspace.Mode
	stored  int          // so far
	values  []string     // those that were never claimed, the oldest first
	claimed []*modelItem // those that were, and are not settled
}

// modelItem is a value that was claimed. Once its claim has ended it is there for anybody, before all others.
type modelItem struct {
	text   string
	claim  int // which claim it was,
	place  int // where in it: this is the order of those that are free again
	stored int // how many values had been stored when it was claimed first
	part   int // which part of it, if it was released in parts: a part is claimed together again
	holder int // the handle that claimed it last
	ended  bool
	gone   bool // settled, or fetched, or its variable was deleted

	released int  // how often: whoever has released it has no right to it any more
	attempt  int  // of the last claim
	blurred  bool // a part of the claim was settled, so that its attempt is no longer defined
}

func newModel() *model { return &model{vars: map[string]*modelVar{}} }

// look gives a variable, which is known from then on.
func (m *model) look(name string) *modelVar {
	if m.vars[name] == nil {
		m.vars[name] = &modelVar{mode: workspace.Unknown}
	}
	return m.vars[name]
}

// declare returns the mode that stays where another one was declared before.
func (m *model) declare(name string, mode workspace.Mode) (stays workspace.Mode, ok bool) {
	v := m.look(name)
	if v.mode != workspace.Unknown && v.mode != mode {
		return v.mode, false
	}
	v.mode = mode
	return mode, true
}

func (m *model) store(name string, texts ...string) {
	v := m.look(name)
	if v.mode == workspace.Unknown {
		v.mode = workspace.FIFO
	}
	v.stored += len(texts)
	v.values = append(v.values, texts...)
	if v.mode == workspace.Single {
		v.values = v.values[max(len(v.values)-1, 0):]
	}
	v.overwrite()
}

// overwrite drops what is free again in mode single where a later value was stored.
func (v *modelVar) overwrite() {
	v.claimed = slices.DeleteFunc(v.claimed, func(item *modelItem) bool {
		over := v.mode == workspace.Single && item.ended && item.stored < v.stored
		item.gone = item.gone || over
		return over
	})
}

// deleteVar reports whether there was such a variable.
func (m *model) deleteVar(name string) bool {
	v := m.vars[name]
	if v == nil {
		return false
	}
	for _, item := range v.claimed {
		item.gone = true
	}
	delete(m.vars, name)
	return true
}

// free are the values whose claims have ended, in the order in which they were claimed.
func (v *modelVar) free() []*modelItem {
	var free []*modelItem
	for _, item := range v.claimed {
		if item.ended {
			free = append(free, item)
		}
	}
	slices.SortFunc(free, func(a, b *modelItem) int {
		return cmp.Or(cmp.Compare(a.claim, b.claim), cmp.Compare(a.place, b.place))
	})
	return free
}

// available is how many values a fetch could take.
func (v *modelVar) available() int { return len(v.free()) + len(v.values) }

// next are the values one of which is to be found or fetched now.
func (v *modelVar) next() []string {
	if free := v.free(); len(free) > 0 {
		return []string{free[0].text}
	}
	n := len(v.values)
	switch {
	case n == 0:
		return nil
	case v.mode == workspace.Multi:
		return v.values
	case v.mode == workspace.LIFO || v.mode == workspace.Single:
		return v.values[n-1:]
	default:
		return v.values[:1]
	}
}

// take takes a value that is one of next. The item is nil unless it was claimed before.
func (v *modelVar) take(text string) *modelItem {
	if free := v.free(); len(free) > 0 {
		v.claimed = slices.DeleteFunc(v.claimed, func(item *modelItem) bool { return item == free[0] })
		return free[0]
	}
	i := slices.Index(v.values, text)
	if v.mode == workspace.LIFO || v.mode == workspace.Single {
		i = len(v.values) - 1
	}
	v.values = slices.Delete(slices.Clone(v.values), i, i+1)
	return nil
}

// takeFrom takes the next value of the same part of a claim as another one.
func (v *modelVar) takeFrom(first *modelItem, text string) *modelItem {
	for _, item := range v.free() {
		if item.claim == first.claim && item.part == first.part {
			if item.text != text {
				return nil
			}
			v.claimed = slices.DeleteFunc(v.claimed, func(other *modelItem) bool { return other == item })
			return item
		}
	}
	return nil
}

// fetch takes a value that is one of next, for good.
func (v *modelVar) fetch(text string) {
	if item := v.take(text); item != nil {
		item.gone = true
		v.blur(item.claim)
	}
}

// returned notes that the next value was fetched and came back. If it was a claim's, it is a part of its own from then on.
func (m *model) returned(v *modelVar) {
	free := v.free()
	if len(free) == 0 {
		return
	}
	v.blur(free[0].claim)
	m.parts++
	free[0].part, free[0].attempt, free[0].blurred = m.parts, 0, false
	free[0].released++
}

func (v *modelVar) blur(claim int) {
	for _, item := range v.claimed {
		item.blurred = item.blurred || item.claim == claim
	}
}
