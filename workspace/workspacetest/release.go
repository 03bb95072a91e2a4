package workspacetest

import "github.com/netspaces/netspaces/workspace"

var releaseTests = []test{
	{"ReleaseGivesBackInOrder", releaseGivesBackInOrder},
	{"ReleaseServesWaiters", releaseServesWaiters},
	{"ReleaseOfALostClaim", releaseOfALostClaim},
	{"ReleaseKeepsOrderAmongClaims", releaseKeepsOrderAmongClaims},
}

func indexes(claim *workspace.Claim) []int {
	var all []int
	for _, v := range claim.Values {
		all = append(all, v.Index)
	}
	return all
}

func releaseGivesBackInOrder(s *site) {
	ws := s.open()
	for mode, want := range map[workspace.Mode][]string{
		workspace.FIFO: {"1", "2", "3", "4"}, workspace.LIFO: {"3", "2", "1", "0"},
	} {
		name := string(mode)
		s.declare(ws, name, mode)
		s.store(ws, name, numbers(5)...)
		claim := s.claim(ws, name, &workspace.ClaimOptions{Max: 3})
		s.must(claim.Release(s.ctx))
		all := indexes(claim)
		s.must(claim.Settle(s.ctx, workspace.Outcome{Index: all[0]}))
		s.must(claim.Release(s.ctx, all...))
		s.holds(ws, name, want...)
		s.wantErr(settleAll(s.ctx, claim, ""), workspace.ErrClaimLost)
		s.must(claim.Release(s.ctx, all...))
		s.holds(ws, name)
	}
}

func releaseServesWaiters(s *site) {
	ws := s.open()
	s.store(ws, "v", 1, 2)
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 2})
	fetch, find := s.fetch(ws, "v"), s.find(ws, "v")
	s.waiting(ws, "v", 1, 1)
	s.must(claim.Release(s.ctx, indexes(claim)...))
	fetch.gets("1")
	find.gets("1")
	s.wantClaim(s.claim(ws, "v", nil), 1, "2")
}

// Whoever releases first, and whichever leases end meanwhile, what was stored first comes first again.
func releaseKeepsOrderAmongClaims(s *site) {
	ws := s.open()
	s.store(ws, "v", numbers(8)...)
	older := s.claim(ws, "v", &workspace.ClaimOptions{Max: 3})
	newer := s.claim(ws, "v", &workspace.ClaimOptions{Max: 3})
	s.must(older.Release(s.ctx, indexes(older)[1:]...))
	s.must(newer.Release(s.ctx, indexes(newer)[1:]...))
	s.must(ws.EndClaims(s.ctx, "v", ws.Client()))
	s.wantClaim(s.claim(ws, "v", nil), 2, "0")
	s.wantClaim(s.claim(ws, "v", nil), 1, "1", "2")
	s.holds(ws, "v", "3", "4", "5", "6", "7")
}

// Whose lease ran out gives nothing back that somebody else works on.
func releaseOfALostClaim(s *site) {
	ws := s.open()
	older, newer := s.twice(ws)
	s.must(older.Release(s.ctx, indexes(older)...))
	s.must(settleAll(s.ctx, newer, ""))
	s.holds(ws, "v")
}
