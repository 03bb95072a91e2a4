package workspacetest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/netspaces/netspaces/workspace"
)

var deleteTests = []test{
	{"W6DeleteWakesAll", w6DeleteWakesAll},
	{"W6Missing", w6Missing},
	{"W6ManyAtOnce", w6ManyAtOnce},
}

func w6DeleteWakesAll(s *site) {
	const variables = 250 // more than are deleted in one step
	ws := s.open()
	other := s.use(s.client())
	var waiters []*pending
	for i := range variables {
		name := fmt.Sprint("v", i)
		if i%2 == 0 {
			s.store(ws, name, i)
			continue
		}
		waiters = append(waiters, s.fetch(ws, name), s.find(other, name))
	}
	for i := 1; i < variables; i += 2 {
		s.waiting(ws, fmt.Sprint("v", i), 1, 1)
	}
	s.must(workspace.Delete(s.ctx, s.rdb, s.name()))
	s.noKeyLeft()
	for _, w := range waiters {
		w.fails(workspace.ErrNoWorkspace)
	}
	s.keepsFailing(ws)
	s.keepsFailing(other)
	s.must(ws.Close())
}

func w6Missing(s *site) {
	s.wantErr(workspace.Delete(s.ctx, s.rdb, s.name()), workspace.ErrNoWorkspace)
	s.noKeyLeft()
	s.open()
	s.must(workspace.Delete(s.ctx, s.rdb, s.name()))
	s.wantErr(workspace.Delete(s.ctx, s.rdb, s.name()), workspace.ErrNoWorkspace)
}

// Several delete, open and use one workspace at the same time. Each gets what it wanted or ErrNoWorkspace.
func w6ManyAtOnce(s *site) {
	var all sync.WaitGroup
	for c := range 4 {
		rdb := s.client()
		all.Go(func() {
			for i := range 25 {
				ws, err := workspace.Open(s.ctx, rdb, s.name(), nil)
				if err != nil {
					s.Errorf("Open: %v", err)
					return
				}
				if err := ws.Store(s.ctx, fmt.Sprint("v", i), 1); err != nil && !errors.Is(err, workspace.ErrNoWorkspace) {
					s.Errorf("Store: %v", err)
				}
				if c%2 == 0 {
					if err := workspace.Delete(s.ctx, rdb, s.name()); err != nil && !errors.Is(err, workspace.ErrNoWorkspace) {
						s.Errorf("Delete: %v", err)
					}
				}
				if err := ws.Close(); err != nil {
					s.Errorf("Close: %v", err)
				}
			}
		})
	}
	all.Wait()
}
