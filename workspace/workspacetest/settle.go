package workspacetest

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/netspaces/netspaces/workspace"
)

var settleTests = []test{
	{"SettleIntoSeveral", settleIntoSeveral},
	{"SettleOnceOldHolderFirst", settleOnceOldHolderFirst},
	{"SettleOnceNewHolderFirst", settleOnceNewHolderFirst},
	{"SettleOnceAtTheSameTime", settleOnceAtTheSameTime},
	{"SettleInParts", settleInParts},
	{"SettleWakesWaiters", settleWakesWaiters},
	{"SettleIntoItself", settleIntoItself},
	{"SettleIntoMissing", settleIntoMissing},
}

func settleIntoSeveral(s *site) {
	ws := s.open()
	s.declare(ws, "a", workspace.FIFO)
	s.declare(ws, "b", workspace.LIFO)
	s.declare(ws, "c", workspace.Single)
	s.store(ws, "v", numbers(7)...)
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 7})
	into := []string{"a", "b", "c", "a", "b", "c", ""}
	var outcomes []workspace.Outcome
	for i, v := range claim.Values {
		outcomes = append(outcomes, workspace.Outcome{Index: v.Index, Into: into[i], Value: 10 * i})
	}
	s.must(claim.Settle(s.ctx, outcomes...))
	s.holds(ws, "a", "0", "30")
	s.holds(ws, "b", "40", "10")
	s.holds(ws, "c", "50")
	if info := s.info(ws, "v"); info.Values != 0 || info.Claimed != 0 {
		s.Errorf("after all was settled: %+v", info)
	}
	s.wantErr(claim.Settle(s.ctx, outcomes...), workspace.ErrClaimLost)
	s.holds(ws, "a")
}

// twice claims a value for two holders, the first of which has lost its lease.
func (s *site) twice(ws *workspace.Workspace) (older, newer *workspace.Claim) {
	s.Helper()
	s.store(ws, "v", "task")
	older = s.claim(ws, "v", nil)
	s.ended("v")
	return older, s.claim(s.use(s.client()), "v", nil)
}

func settleOnceOldHolderFirst(s *site) {
	ws := s.open()
	s.declare(ws, "r", workspace.FIFO)
	older, newer := s.twice(ws)
	s.must(older.Settle(s.ctx, workspace.Outcome{Index: older.Values[0].Index, Into: "r", Value: "older"}))
	s.wantErr(newer.Settle(s.ctx, workspace.Outcome{Index: newer.Values[0].Index, Into: "r", Value: "newer"}),
		workspace.ErrClaimLost)
	s.holds(ws, "r", `"older"`)
}

func settleOnceNewHolderFirst(s *site) {
	ws := s.open()
	s.declare(ws, "r", workspace.FIFO)
	older, newer := s.twice(ws)
	s.must(newer.Settle(s.ctx, workspace.Outcome{Index: newer.Values[0].Index, Into: "r", Value: "newer"}))
	s.wantErr(older.Settle(s.ctx, workspace.Outcome{Index: older.Values[0].Index, Into: "r", Value: "older"}),
		workspace.ErrClaimLost)
	s.holds(ws, "r", `"newer"`)
}

func settleOnceAtTheSameTime(s *site) {
	ws := s.open()
	s.declare(ws, "r", workspace.FIFO)
	for range 20 {
		older, newer := s.twice(ws)
		var won atomic.Int32
		var both sync.WaitGroup
		for _, claim := range []*workspace.Claim{older, newer} {
			both.Go(func() {
				if settleAll(s.ctx, claim, "r") == nil {
					won.Add(1)
				}
			})
		}
		both.Wait()
		if n := won.Load(); n != 1 {
			s.Fatalf("%d holders settled one value", n)
		}
		s.holds(ws, "r", `"task"`)
	}
}

func settleInParts(s *site) {
	ws := s.open()
	s.declare(ws, "r", workspace.FIFO)
	s.store(ws, "v", numbers(3)...)
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 3})
	outcome := func(i int) workspace.Outcome {
		return workspace.Outcome{Index: claim.Values[i].Index, Into: "r", Value: i}
	}
	s.must(claim.Settle(s.ctx))
	s.must(claim.Settle(s.ctx, outcome(1)))
	// What was settled before stores nothing; what is named with it counts.
	s.wantErr(claim.Settle(s.ctx, outcome(1), outcome(0)), workspace.ErrClaimLost)
	s.holds(ws, "r", "1", "0")
	s.wantErr(claim.Settle(s.ctx, workspace.Outcome{Index: 99, Into: "r", Value: 99}), workspace.ErrClaimLost)
	s.must(claim.Settle(s.ctx, outcome(2)))
	s.holds(ws, "r", "2")
	s.wantErr(claim.Settle(s.ctx, outcome(2)), workspace.ErrClaimLost)
}

func settleWakesWaiters(s *site) {
	ws := s.open()
	other := s.use(s.client())
	s.store(ws, "v", numbers(2)...)
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 2})
	s.declare(ws, "b", workspace.LIFO)
	fetch, find, last := s.fetch(other, "a"), s.find(other, "a"), s.fetch(other, "b")
	s.waiting(ws, "a", 1, 1)
	s.waiting(ws, "b", 1, 0)
	s.must(claim.Settle(s.ctx, workspace.Outcome{Index: claim.Values[0].Index, Into: "a", Value: 5},
		workspace.Outcome{Index: claim.Values[1].Index, Into: "b", Value: 6}))
	fetch.gets("5")
	find.gets("5")
	last.gets("6")
}

// A task may put what it found to do next where it came from.
func settleIntoItself(s *site) {
	ws := s.open()
	for i := range 10 {
		s.store(ws, "v", i)
		claim := s.claim(ws, "v", nil)
		s.must(claim.Settle(s.ctx, workspace.Outcome{Index: claim.Values[0].Index, Into: "v", Value: i + 1}))
		s.drain(ws, "v")
	}
	waiter := s.fetch(ws, "v")
	s.waiting(ws, "v", 1, 0)
	s.store(ws, "v", 1)
	waiter.gets("1")
	if n := s.info(ws, "v").Claimed; n != 0 {
		s.Errorf("%d values are still claimed", n)
	}
}

func settleIntoMissing(s *site) {
	ws := s.open()
	s.store(ws, "v", numbers(2)...)
	s.declare(ws, "there", workspace.FIFO)
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 2})
	err := settleAll(s.ctx, claim, "missing")
	s.wantErr(err, workspace.ErrNoVar)
	if errors.Is(err, workspace.ErrClaimLost) {
		s.Errorf("nobody else has settled it: %v", err)
	}
	if info := s.info(ws, "missing"); info.Name != "" {
		s.Errorf("settling made a variable: %+v", info)
	}
	if n := s.info(ws, "v").Claimed; n != 0 {
		s.Errorf("%d values are still claimed", n)
	}
}
