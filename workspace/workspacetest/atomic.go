package workspacetest

import (
	"context"
	"sync"

	"github.com/netspaces/netspaces/workspace"
)

var atomicTests = []test{
	{"V5EachValueGoesToOne", v5EachValueGoesToOne},
	{"V5FindRemovesNothing", v5FindRemovesNothing},
}

func v5EachValueGoesToOne(s *site) {
	const clients, fetchersEach, values = 3, 3, 60
	ws := s.open()
	handles := []*workspace.Workspace{ws}
	for range clients - 1 {
		handles = append(handles, s.use(s.client()))
	}
	for _, mode := range []workspace.Mode{workspace.FIFO, workspace.LIFO, workspace.Multi} {
		name := string(mode)
		s.declare(ws, name, mode)
		var came tally
		ctx, stop := context.WithCancel(s.ctx)
		var fetchers, storers sync.WaitGroup
		for _, h := range handles {
			for range fetchersEach {
				fetchers.Go(func() { came.fetches(ctx, s, h, name) })
			}
		}
		for k, h := range handles {
			storers.Go(func() {
				for i := k; i < values; i += clients {
					if err := h.Store(s.ctx, name, i); err != nil {
						s.Error(err)
					}
				}
			})
		}
		storers.Wait()
		came.whole(s, name, values)
		stop()
		fetchers.Wait()
		came.once(s, values)
		s.waiting(ws, name, 0, 0)
		s.holds(ws, name)
	}
}

func v5FindRemovesNothing(s *site) {
	ws := s.open()
	for _, mode := range allModes {
		name := string(mode)
		s.declare(ws, name, mode)
		s.store(ws, name, 1)
		var finders sync.WaitGroup
		for range 10 {
			finders.Go(func() {
				var n int
				if err := ws.Find(s.ctx, name, &n); n != 1 || err != nil {
					s.Errorf("find got %d, %v", n, err)
				}
			})
		}
		finders.Wait()
		s.holds(ws, name, "1")
	}
}
