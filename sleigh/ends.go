package sleigh

import (
	"context"
	"slices"
	"sync"

	"github.com/netspaces/netspaces/workspace"
)

const endMost = 100 // jobs that Redis is told of at a time

// ends has Redis forget jobs that have ended, in the background. While it is told of some, others wait for the next time. The
// zero value is ready.
type ends struct {
	mu   sync.Mutex
	ids  []string      // of which it is to be told
	told chan struct{} // closed when Redis has forgotten those, and all before; nil if there never was one
	busy bool          // a goroutine tells it
}

// add does not block.
func (e *ends) add(own *workspace.Workspace, id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.ids) == 0 {
		e.told = make(chan struct{})
	}
	e.ids = append(e.ids, id)
	if !e.busy {
		e.busy = true
		go e.tell(own)
	}
}

// tell goes on until there are none. Where Redis does not answer, they go with the sleigh.
func (e *ends) tell(own *workspace.Workspace) {
	for {
		e.mu.Lock()
		ids, told := e.ids, e.told
		e.ids, e.busy = nil, len(ids) > 0
		e.mu.Unlock()
		if len(ids) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), endFor)
		for some := range slices.Chunk(ids, endMost) {
			_ = forgetJobs(ctx, own, false, some...)
		}
		cancel()
		close(told)
	}
}

// await returns when Redis has forgotten the jobs that have ended before, so that nothing is seen of them any more.
func (e *ends) await(ctx context.Context) {
	e.mu.Lock()
	told := e.told
	e.mu.Unlock()
	if told == nil {
		return
	}
	select {
	case <-told:
	case <-ctx.Done():
	}
}
