package workspacetest

import (
	"errors"
	"slices"
	"strings"

	"github.com/netspaces/netspaces/workspace"
)

var settleIntoTests = []test{
	{"SettleIntoOther", settleIntoOther},
	{"SettleIntoOtherWakesWaiters", settleIntoOtherWakesWaiters},
	{"SettleIntoOtherTag", settleIntoOtherTag},
	{"SettleIntoOtherMissing", settleIntoOtherMissing},
	{"SettleIntoOtherGone", settleIntoOtherGone},
	{"SettleIntoOtherLost", settleIntoOtherLost},
	{"SettleIntoOtherLostReply", settleIntoOtherLostReply},
	{"SettleIntoOtherDamaged", settleIntoOtherDamaged},
}

// beside opens a workspace of the same tag as the test's.
func (s *site) beside(name string) *workspace.Workspace {
	s.Helper()
	ws, err := workspace.Open(s.ctx, s.rdb, s.name()+"/"+name, nil)
	s.must(err)
	s.Cleanup(func() { _ = ws.Close() })
	return ws
}

// One step stores into several workspaces and variables, some of one name.
func settleIntoOther(s *site) {
	ws := s.open()
	user, deep := s.beside("user"), s.beside("user/deep")
	again, err := workspace.Use(s.ctx, s.client(), user.Name(), false) // another handle on it
	s.must(err)
	defer func() { _ = again.Close() }()
	for _, h := range []*workspace.Workspace{ws, user, deep} {
		s.declare(h, "r", workspace.FIFO)
	}
	s.declare(user, "latest", workspace.Single)
	s.store(ws, "v", numbers(9)...)
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 9})
	var outcomes []workspace.Outcome
	for i, o := range []workspace.Outcome{
		{Into: "r"}, {Into: "r", In: user}, {Into: "r", In: deep}, {Into: "r", In: ws}, {Into: "latest", In: user},
		{Into: "r", In: again}, {}, {Into: "latest", In: again}, {In: user},
	} {
		o.Index, o.Value = claim.Values[i].Index, i
		outcomes = append(outcomes, o)
	}
	s.must(claim.Settle(s.ctx, outcomes...))
	s.holds(ws, "r", "0", "3")
	s.holds(user, "r", "1", "5")
	s.holds(deep, "r", "2")
	s.holds(user, "latest", "7")
	if info := s.info(ws, "v"); info.Values+info.Claimed != 0 {
		s.Errorf("after all was settled: %+v", info)
	}
}

func settleIntoOtherWakesWaiters(s *site) {
	ws := s.open()
	user := s.beside("user")
	away, err := workspace.Use(s.ctx, s.client(), user.Name(), false)
	s.must(err)
	defer func() { _ = away.Close() }()
	s.store(ws, "v", numbers(2)...)
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 2})
	fetch, find, next := s.fetch(away, "r"), s.find(away, "r"), s.following(ifind(user, "r"))
	here := s.fetch(ws, "r") // the same name, elsewhere
	s.waiting(user, "r", 1, 2)
	s.waiting(ws, "r", 1, 0)
	s.must(claim.Settle(s.ctx, workspace.Outcome{Index: claim.Values[0].Index, In: user, Into: "r", Value: 5},
		workspace.Outcome{Index: claim.Values[1].Index, In: user, Into: "r", Value: 6}))
	fetch.gets("5")
	find.gets("5")
	if next.end(); next.err != nil || next.value != "5" && next.value != "6" {
		s.Errorf("the iterator got %q, %v", next.value, next.err)
	}
	s.holds(user, "r", "6")
	s.waiting(ws, "r", 1, 0)
	here.cancel()
}

// Two workspaces that may be on different servers are refused, wherever they are, and nothing is settled.
func settleIntoOtherTag(s *site) {
	ws := s.open()
	s.declare(ws, "r", workspace.FIFO)
	s.store(ws, "v", 1, 2)
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 2})
	for _, name := range []string{"elsewhere", "elsewhere/" + s.name(), s.name() + "2", strings.TrimSuffix(s.name(), "g")} {
		other, err := workspace.Open(s.ctx, s.rdb, name, nil)
		s.must(err)
		s.declare(other, "r", workspace.FIFO)
		err = claim.Settle(s.ctx, workspace.Outcome{Index: claim.Values[0].Index, Into: "r", Value: 1},
			workspace.Outcome{Index: claim.Values[1].Index, In: other, Into: "r", Value: 2})
		s.wantErr(err, workspace.ErrName)
		s.names(err, s.name(), name)
		s.holds(other, "r")
		s.must(other.Close())
	}
	s.holds(ws, "r")
	s.must(settleAll(s.ctx, claim, "r"))
	s.holds(ws, "r", "1", "2")
}

func settleIntoOtherMissing(s *site) {
	ws := s.open()
	user := s.beside("user")
	s.declare(ws, "here", workspace.FIFO)
	s.declare(user, "there", workspace.FIFO)
	s.store(ws, "v", numbers(3)...)
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 3})
	err := claim.Settle(s.ctx, workspace.Outcome{Index: claim.Values[0].Index, In: user, Into: "here", Value: 1},
		workspace.Outcome{Index: claim.Values[1].Index, Into: "there", Value: 2},
		workspace.Outcome{Index: claim.Values[2].Index, In: user, Into: "there", Value: 3})
	s.wantErr(err, workspace.ErrNoVar)
	failed, ok := errors.AsType[*workspace.SettleError](err)
	if !ok || !slices.Equal(failed.Missing, []string{"here", "there"}) || len(failed.Lost) > 0 {
		s.Errorf("missing are %+v", failed)
	}
	s.holds(user, "there", "3")
	s.holds(ws, "here")
	for h, name := range map[*workspace.Workspace]string{user: "here", ws: "there"} {
		if info := s.info(h, name); info.Name != "" {
			s.Errorf("settling made a variable: %+v", info)
		}
	}
}

// The other workspace was deleted: its variables are missing, also where one of that name was made again.
func settleIntoOtherGone(s *site) {
	ws := s.open()
	s.declare(ws, "r", workspace.FIFO)
	user := s.beside("user")
	s.declare(user, "r", workspace.FIFO)
	s.store(ws, "v", numbers(4)...)
	for range 2 {
		claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 2})
		if err := workspace.Delete(s.ctx, s.rdb, user.Name()); err != nil {
			anew := s.beside("user")
			s.declare(anew, "r", workspace.FIFO)
			defer func() { s.holds(anew, "r") }()
		}
		err := claim.Settle(s.ctx, workspace.Outcome{Index: claim.Values[0].Index, In: user, Into: "r", Value: "other"},
			workspace.Outcome{Index: claim.Values[1].Index, Into: "r", Value: "own"})
		if s.wantErr(err, workspace.ErrNoVar); errors.Is(err, workspace.ErrClaimLost) {
			s.Errorf("nobody else has settled it: %v", err)
		}
		s.holds(ws, "r", `"own"`)
	}
	if info := s.info(ws, "v"); info.Values+info.Claimed != 0 {
		s.Errorf("after all was settled: %+v", info)
	}
}

// Whoever comes second stores nothing, in no workspace.
func settleIntoOtherLost(s *site) {
	ws := s.open()
	user := s.beside("user")
	s.declare(user, "r", workspace.FIFO)
	older, newer := s.twice(ws)
	s.must(newer.Settle(s.ctx, workspace.Outcome{Index: newer.Values[0].Index, In: user, Into: "r", Value: "newer"}))
	s.wantErr(older.Settle(s.ctx, workspace.Outcome{Index: older.Values[0].Index, In: user, Into: "r", Value: "older"}),
		workspace.ErrClaimLost)
	s.holds(user, "r", `"newer"`)
}

func settleIntoOtherLostReply(s *site) {
	ws := s.open()
	user := s.beside("user")
	s.declare(user, "r", workspace.FIFO)
	s.store(ws, "lossy", numbers(2)...)
	rdb, proxy := s.proxied()
	claim := s.claim(s.use(rdb), "lossy", &workspace.ClaimOptions{Max: 2})
	lost := proxy.loseReply()
	var outcomes []workspace.Outcome
	for _, v := range claim.Values {
		outcomes = append(outcomes, workspace.Outcome{Index: v.Index, In: user, Into: "r", Value: v.Text})
	}
	s.must(claim.Settle(s.ctx, outcomes...))
	<-lost
	s.holds(user, "r", "0", "1")
}

func settleIntoOtherDamaged(s *site) {
	ws := s.open()
	user := s.beside("user")
	s.declare(user, "r", workspace.FIFO)
	s.declare(ws, "r", workspace.FIFO)
	s.must(s.admin.Set(s.ctx, "nws:{"+s.name()+"}/user:values:r", "damage", 0).Err())
	s.store(ws, "v", 1, 2)
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 2})
	before := s.snapshot()
	err := claim.Settle(s.ctx, workspace.Outcome{Index: claim.Values[0].Index, Into: "r", Value: 1},
		workspace.Outcome{Index: claim.Values[1].Index, In: user, Into: "r", Value: 2})
	s.wantErr(err, workspace.ErrDamaged)
	s.unchanged(before)
	s.must(user.DeleteVar(s.ctx, "r"))
	s.must(settleAll(s.ctx, claim, "r"))
	s.holds(ws, "r", "1", "2")
}
