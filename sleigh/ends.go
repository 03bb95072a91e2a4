package sleigh

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

const (
	endPause = 10 * time.Millisecond // until Redis is told that jobs have ended, so that it is told of many at a time
	endMost  = 100                   // of them
)

// ends has Redis forget jobs that have ended, in the background. The zero value is ready.
type ends struct {
	mu   sync.Mutex
	ids  []string
	told chan struct{} // closed when Redis has forgotten those, and all before; nil if there never was one
	busy bool          // it is to be told, or is being told
}

func (e *ends) add(own *workspace.Workspace, id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.ids) == 0 {
		e.told = make(chan struct{})
	}
	e.ids = append(e.ids, id)
	if !e.busy {
		e.busy = true
		time.AfterFunc(endPause, func() { e.tell(own) })
	}
}

// tell goes on until there are none. Where Redis does not answer, they go with the sleigh.
func (e *ends) tell(own *workspace.Workspace) {
	e.mu.Lock()
	ids, told := e.ids, e.told
	e.ids = nil
	e.mu.Unlock()
	for some := range slices.Chunk(ids, endMost) {
		ctx, cancel := context.WithTimeout(context.Background(), endFor)
		_ = forgetJobs(ctx, own, some...)
		cancel()
	}
	e.mu.Lock()
	if e.busy = len(e.ids) > 0; e.busy {
		time.AfterFunc(endPause, func() { e.tell(own) })
	}
	e.mu.Unlock()
	close(told)
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
