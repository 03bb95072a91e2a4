package workspacetest

import "slices"

// modelClaim is a claim as its holder knows it. Others may have claimed some of its values since.
type modelClaim struct {
	m      *model
	name   string // of the variable
	holder int
	items  []modelHeld
}

// modelHeld is a value of a claim, and how often it had been released when it was claimed.
type modelHeld struct {
	*modelItem
	then int
}

// claim takes these values, each of which must be one of next when its turn comes; it returns false if one is not.
// attempt is what the claim says of itself.
func (m *model) claim(name string, holder, attempt int, texts ...string) (*modelClaim, bool) {
	v := m.look(name)
	c := &modelClaim{m: m, name: name, holder: holder}
	m.claims++
	var taken []*modelItem
	again := false // what has ended is claimed again as it was
	for place, text := range texts {
		var item *modelItem
		switch {
		case again:
			if item = v.takeFrom(taken[0], text); item == nil {
				return nil, false
			}
		case slices.Contains(v.next(), text):
			item = v.take(text)
			again = item != nil
		default:
			return nil, false
		}
		if item == nil {
			item = &modelItem{text: text, claim: m.claims, place: place, stored: v.stored}
		}
		if item.attempt++; item.blurred {
			item.attempt, item.blurred = attempt, false
		}
		if item.attempt != attempt {
			return nil, false
		}
		item.holder, item.ended = holder, false
		taken = append(taken, item)
		c.items = append(c.items, modelHeld{item, item.released})
	}
	v.claimed = append(v.claimed, taken...)
	return c, true
}

// mine reports whether the claim may still settle its value i: nobody has settled it, and it was not released.
func (c *modelClaim) mine(i int) bool {
	return i < len(c.items) && !c.items[i].gone && c.items[i].then == c.items[i].released
}

// held reports whether the value has not gone to another handle either.
func (c *modelClaim) held(i int) bool { return c.mine(i) && c.items[i].holder == c.holder }

// settle ends the claim of value i, and returns false if it was lost.
func (c *modelClaim) settle(i int) bool {
	if !c.mine(i) {
		return false
	}
	item := c.items[i].modelItem
	item.gone = true
	v := c.m.vars[c.name]
	v.claimed = slices.DeleteFunc(v.claimed, func(other *modelItem) bool { return other == item })
	v.blur(item.claim)
	return true
}

// release gives back those of some values that are held. Those that stood beside each other are a part of the claim from
// then on.
func (c *modelClaim) release(places ...int) {
	slices.Sort(places)
	last := -2
	for _, i := range slices.Compact(places) {
		if !c.held(i) {
			continue
		}
		item := c.items[i].modelItem
		if item.place != last+1 {
			c.m.parts++
		}
		last = item.place
		item.ended, item.attempt, item.blurred = true, 0, false
		item.part = c.m.parts
		item.released++
	}
	if v := c.m.vars[c.name]; v != nil {
		v.overwrite()
	}
}

// renew returns false if nothing of it is held.
func (c *modelClaim) renew() bool {
	some := false
	for i := range c.items {
		if c.held(i) {
			c.items[i].ended = false
			some = true
		}
	}
	return some
}

// endClaims ends the leases of all that a handle has claimed.
func (m *model) endClaims(name string, holder int) {
	if v := m.vars[name]; v != nil {
		for _, item := range v.claimed {
			item.ended = item.ended || item.holder == holder
		}
		v.overwrite()
	}
}
