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
	{"W6MissingSparesTheNew", w6MissingSparesTheNew},
	{"W6ManyAtOnce", w6ManyAtOnce},
}

func w6DeleteWakesAll(s *site) {
	const variables = 110 // more than are deleted in one step
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
	s.eventually(func() bool {
		infos, err := ws.ListVars(s.ctx)
		s.must(err)
		all := 0
		for _, info := range infos {
			all += info.Fetchers + info.Finders
		}
		return all == len(waiters)
	}, func() string { return "not all wait" })
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

// Deleting a workspace that is missing does not take one off the list that is being made at the same moment.
func w6MissingSparesTheNew(s *site) {
	other := s.client()
	for range 12 {
		var deleting sync.WaitGroup
		deleting.Go(func() {
			for range 5 {
				if err := workspace.Delete(s.ctx, other, s.name()); err != nil && !errors.Is(err, workspace.ErrNoWorkspace) {
					s.Error(err)
				}
			}
		})
		ws, err := workspace.Use(s.ctx, s.rdb, s.name(), true)
		s.must(err)
		deleting.Wait()
		there, err := s.admin.HExists(s.ctx, s.key("ws"), "incarnation").Result()
		s.must(err)
		listed := s.admin.ZScore(s.ctx, "nws:names", s.name()).Err() == nil
		if there && !listed {
			s.Fatal("the workspace is there and not on the list")
		}
		s.must(ws.Close())
		if there {
			s.must(workspace.Delete(s.ctx, s.rdb, s.name()))
		}
	}
}

// Several delete, open and use one workspace at the same time. Each gets what it wanted or ErrNoWorkspace.
func w6ManyAtOnce(s *site) {
	var all sync.WaitGroup
	for c := range 4 {
		rdb := s.client()
		all.Go(func() {
			for i := range 12 {
				ws, err := workspace.Open(s.ctx, rdb, s.name(), nil)
				if err != nil {
					s.Errorf("Open: %v", err)
					return
				}
				if err := ws.Store(s.ctx, fmt.Sprint("v", i), 1); err != nil && !errors.Is(err, workspace.ErrNoWorkspace) {
					s.Errorf("Store: %v", err)
				}
				if c%2 == 0 {
					if err := workspace.Delete(s.ctx, rdb, s.name()); err != nil &&
						!errors.Is(err, workspace.ErrNoWorkspace) {
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
