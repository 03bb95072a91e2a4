package workspace

import "sync"

// sendingAtOnce is how many requests of callers that could travel together are under way for one variable. There are as many
// connections (see redisx).
const sendingAtOnce = 2

// groups has callers of many goroutines that do the same with a variable travel together: while some requests for it are
// under way, who calls meanwhile waits for the next one. So all of them cost Redis little more than one. G is those who wait.
type groups[G any] struct {
	mu        sync.Mutex
	variables map[string]*group[G]
}

type group[G any] struct {
	sending int
	next    *G // nil if nobody waits
}

// begin is true if the caller is to send a request of its own, and then to call end. If not, join may have it wait with
// others; it is given the place for these.
func (g *groups[G]) begin(variable string, join func(next **G)) (alone bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.variables[variable]
	if v == nil {
		if g.variables == nil {
			g.variables = map[string]*group[G]{}
		}
		v = &group[G]{}
		g.variables[variable] = v
	}
	if v.sending < sendingAtOnce {
		v.sending++
		return true
	}
	join(&v.next)
	return false
}

// end is for the end of a request. It gives those who have come meanwhile, who are to have the next one; nil if there are
// none.
func (g *groups[G]) end(variable string) *G {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.variables[variable]
	next := v.next
	v.next = nil
	if next == nil {
		if v.sending--; v.sending == 0 {
			delete(g.variables, variable)
		}
	}
	return next
}
