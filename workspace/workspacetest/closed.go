package workspacetest

import (
	"sync"

	"github.com/netspaces/netspaces/workspace"
)

var closedTests = []test{
	{"CloseEndsWaitingCalls", closeEndsWaitingCalls},
	{"CloseLeavesNoWaiter", closeLeavesNoWaiter},
	{"CloseTwice", closeTwice},
	{"CloseThenWait", closeThenWait},
}

// Also the owner's own calls end with ErrClosed, although its Close deletes the workspace.
func closeEndsWaitingCalls(s *site) {
	rdb := s.client()
	for range 4 {
		ws := s.openBy(rdb, nil)
		var waiters []*pending
		for range 10 {
			waiters = append(waiters, s.fetch(ws, "v"), s.find(ws, "v"), s.claims(ws, "w", nil))
		}
		s.waiting(ws, "v", 10, 10)
		s.waiting(ws, "w", 10, 0)
		s.must(ws.Close())
		for _, w := range waiters {
			w.fails(workspace.ErrClosed)
		}
	}
}

func closeLeavesNoWaiter(s *site) {
	ws := s.open()
	other := s.use(s.client())
	waiters := []*pending{s.fetch(other, "v"), s.find(other, "v")}
	s.waiting(ws, "v", 1, 1)
	s.must(other.Close())
	for _, w := range waiters {
		w.fails(workspace.ErrClosed)
	}
	s.waiting(ws, "v", 0, 0)
	s.store(ws, "v", 1)
	s.holds(ws, "v", "1")
}

func closeTwice(s *site) {
	ws := s.open()
	s.fetch(ws, "v")
	s.waiting(ws, "v", 1, 0)
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			if err := ws.Close(); err != nil {
				s.Error(err)
			}
		})
	}
	all.Wait()
	s.must(ws.Close())
	s.noKeyLeft()

	rdb := s.client()
	unused := s.openBy(rdb, nil)
	s.must(rdb.Close())
	s.must(rdb.Close())
	s.must(unused.Close())
}

func closeThenWait(s *site) {
	ws := s.open()
	other := s.use(s.client())
	s.must(other.Close())
	var text []byte
	s.wantErr(other.Fetch(s.ctx, "v", &text), workspace.ErrClosed)
	s.wantErr(other.Find(s.ctx, "v", &text), workspace.ErrClosed)
	s.waiting(ws, "v", 0, 0)

	// A closed handle takes nothing.
	s.store(ws, "v", 1)
	s.wantErr(other.Fetch(s.ctx, "v", &text), workspace.ErrClosed)
	s.holds(ws, "v", "1")
}
