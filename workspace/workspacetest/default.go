package workspacetest

import (
	"github.com/netspaces/netspaces/workspace"
)

var defaultTests = []test{
	{"W9NeedsNoOpening", w9NeedsNoOpening},
	{"W9IsPersistentAndNobodys", w9IsPersistentAndNobodys},
	{"W9DeletedIsMadeAgain", w9DeletedIsMadeAgain},
}

// deleteDefault has no default workspace left at the end of the test.
func (s *site) deleteDefault() {
	s.Cleanup(func() { s.must(workspace.Delete(s.ctx, s.rdb, workspace.Default)) })
}

// The default workspace is there for the first who uses it.
func w9NeedsNoOpening(s *site) {
	s.deleteDefault()
	used, err := workspace.Use(s.ctx, s.rdb, workspace.Default, false)
	s.must(err)
	defer func() { _ = used.Close() }()
	waiter := s.fetch(used, "v")
	s.waiting(used, "v", 1, 0)
	other, err := workspace.Use(s.ctx, s.client(), "default", true)
	s.must(err)
	defer func() { _ = other.Close() }()
	s.store(other, "v", 1)
	waiter.gets("1")
}

func w9IsPersistentAndNobodys(s *site) {
	s.deleteDefault()
	for _, opts := range []*workspace.Options{nil, {}, {Persistent: true}} {
		ws, err := workspace.Open(s.ctx, s.client(), workspace.Default, opts)
		s.must(err)
		if ws.Mine() {
			s.Error("who opened the default workspace owns it")
		}
		s.store(ws, "v", "kept")
		s.wantInfo(workspace.Info{Name: "default", Persistent: true, Variables: 1})
		s.must(ws.Close())
		s.wantInfo(workspace.Info{Name: "default", Persistent: true, Variables: 1})
	}
	ws, err := workspace.Use(s.ctx, s.rdb, workspace.Default, false)
	s.must(err)
	s.holds(ws, "v", `"kept"`, `"kept"`, `"kept"`)
	s.must(ws.Close())
}

// It can be deleted as any other (W6), and is there again for the next.
func w9DeletedIsMadeAgain(s *site) {
	s.deleteDefault()
	old, err := workspace.Open(s.ctx, s.client(), workspace.Default, nil)
	s.must(err)
	defer func() { _ = old.Close() }()
	s.store(old, "v", 1)
	waiter := s.find(old, "w")
	s.waiting(old, "w", 0, 1)
	s.must(workspace.Delete(s.ctx, s.rdb, workspace.Default))
	waiter.fails(workspace.ErrNoWorkspace)
	anew, err := workspace.Use(s.ctx, s.rdb, workspace.Default, false)
	s.must(err)
	defer func() { _ = anew.Close() }()
	s.holds(anew, "v")
	s.keepsFailing(old) // W4
	s.store(anew, "v", 2)
	s.holds(anew, "v", "2")
}
