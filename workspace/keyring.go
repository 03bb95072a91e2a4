package workspace

import (
	"slices"
	"sync"
)

const keyringSize = 1000 // variables

// keyring remembers the keys that scripts declare for variables that a handle has worked on, since to put nine names together
// takes as long as all else that a call does before it is sent.
type keyring struct {
	mu  sync.Mutex
	all map[string][]string
}

// keysFor is what a script declares that works on one variable. It must not be changed; to append to it makes a copy.
func (ws *Workspace) keysFor(variable string) []string {
	r := &ws.keyring
	r.mu.Lock()
	defer r.mu.Unlock()
	found := r.all[variable]
	if found == nil {
		if len(r.all) >= keyringSize {
			r.all = nil
		}
		if r.all == nil {
			r.all = map[string][]string{}
		}
		found = slices.Clip(ws.keys.forScript(ws.client, variable))
		r.all[variable] = found
	}
	return found
}
