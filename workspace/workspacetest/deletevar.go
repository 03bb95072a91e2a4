package workspacetest

import (
	"github.com/netspaces/netspaces/workspace"
)

var deleteVarTests = []test{
	{"V7DeleteWakesAll", v7DeleteWakesAll},
	{"V7MissingVariable", v7MissingVariable},
	{"V7DropsAll", v7DropsAll},
	{"V7MadeAnewAtOnce", v7MadeAnewAtOnce},
	{"V7SignalIsNotMissed", v7SignalIsNotMissed},
	{"V7SignalIsNotMissedByTheDeaf", v7SignalIsNotMissedByTheDeaf},
}

func v7DeleteWakesAll(s *site) {
	ws := s.open()
	other := s.use(s.client())
	var all []*pending
	for range 10 {
		all = append(all, s.fetch(ws, "v"), s.find(ws, "v"), s.fetch(other, "v"), s.find(other, "v"),
			s.claims(other, "v", nil))
	}
	bystander := s.fetch(ws, "w")
	s.waiting(ws, "v", 30, 20)
	s.waiting(ws, "w", 1, 0)
	s.must(other.DeleteVar(s.ctx, "v"))
	for _, p := range all {
		p.fails(workspace.ErrVarDeleted)
	}
	if info := s.info(ws, "v"); info.Name != "" {
		s.Fatalf("a deleted variable is listed: %+v", info)
	}
	s.store(ws, "w", 1)
	bystander.gets("1")
}

func v7MissingVariable(s *site) {
	ws := s.open()
	s.wantErr(ws.DeleteVar(s.ctx, "v"), workspace.ErrNoVar)
	var text []byte
	_, err := ws.TryFind(s.ctx, "v", &text)
	s.must(err)
	s.must(ws.DeleteVar(s.ctx, "v"))
	s.wantErr(ws.DeleteVar(s.ctx, "v"), workspace.ErrNoVar)
}

func v7DropsAll(s *site) {
	ws := s.open()
	s.declare(ws, "v", workspace.LIFO)
	s.store(ws, "v", 1, 2, 3)
	claim, err := ws.Claim(s.ctx, "v", nil)
	s.must(err)
	s.must(ws.DeleteVar(s.ctx, "v"))
	s.holds(ws, "v")
	s.declare(ws, "v", workspace.Single)
	s.wantErr(claim.Renew(s.ctx, 1e9), workspace.ErrClaimLost)
	s.wantErr(claim.Settle(s.ctx, workspace.Outcome{Index: 1, Into: "v", Value: "late"}), workspace.ErrClaimLost)
	s.holds(ws, "v")
}

// Deleting is a signal: whoever waits gets it, and nothing of a variable that is made anew under the same name.
func v7MadeAnewAtOnce(s *site) {
	ws := s.open()
	other := s.use(s.client())
	for range 20 {
		waiters := []*pending{s.fetch(ws, "v"), s.find(ws, "v"), s.fetch(other, "v"), s.find(other, "v")}
		s.waiting(ws, "v", 2, 2)
		s.must(ws.DeleteVar(s.ctx, "v"))
		s.store(ws, "v", "new")
		for _, w := range waiters {
			w.fails(workspace.ErrVarDeleted)
		}
		s.holds(ws, "v", `"new"`)
		s.must(ws.DeleteVar(s.ctx, "v"))
	}
}

func v7SignalIsNotMissed(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	away := s.use(rdb)
	waiters := []*pending{s.fetch(away, "v"), s.find(away, "v")}
	s.waiting(ws, "v", 1, 1)
	proxy.quiet()
	proxy.refuse()
	s.must(ws.DeleteVar(s.ctx, "v"))
	s.store(ws, "v", "new")
	proxy.allow()
	for _, w := range waiters {
		w.fails(workspace.ErrVarDeleted)
	}
	s.holds(ws, "v", `"new"`)
}

func v7SignalIsNotMissedByTheDeaf(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	away := s.use(rdb)
	waiters := []*pending{s.fetch(away, "v"), s.find(away, "v"), s.fetch(away, "w")}
	s.waiting(ws, "v", 1, 1)
	s.waiting(ws, "w", 1, 0)
	proxy.deafen()
	s.must(ws.DeleteVar(s.ctx, "v"))
	s.store(ws, "v", "new")
	s.must(ws.DeleteVar(s.ctx, "w"))
	for _, w := range waiters {
		w.fails(workspace.ErrVarDeleted)
	}
	s.holds(ws, "v", `"new"`)
}
