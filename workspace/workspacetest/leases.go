package workspacetest

import (
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/workspace"
)

var leaseTests = []test{
	{"ClaimAttemptsCount", claimAttemptsCount},
	{"ClaimRenew", claimRenew},
	{"ClaimEndWakesClaimer", claimEndWakesClaimer},
	{"ClaimEndWakesFetcher", claimEndWakesFetcher},
	{"ClaimEndedIsFetched", claimEndedIsFetched},
	{"ClaimEndClaims", claimEndClaims},
	{"ClaimEndClaimsInOrder", claimEndClaimsInOrder},
	{"ClaimBuriedHolder", claimBuriedHolder},
	{"ClaimLostReply", claimLostReply},
	{"ClaimLostReplyOfAnEndedOne", claimLostReplyOfAnEndedOne},
}

// ended makes the leases of all claims on a variable end now, so that no test has to wait for it.
func (s *site) ended(variable string) {
	s.Helper()
	rdb := s.admin
	const longAgo = 100_000_000_000 // ms; what is less is the place of one that has ended already
	claims, err := rdb.ZRangeByScore(s.ctx, s.key("deadlines", variable),
		&redis.ZRangeBy{Min: strconv.Itoa(longAgo), Max: "+inf"}).Result()
	s.must(err)
	for _, claim := range claims {
		s.must(rdb.ZAddXX(s.ctx, s.key("deadlines", variable), redis.Z{Score: longAgo, Member: claim}).Err())
	}
}

func claimAttemptsCount(s *site) {
	ws := s.open()
	other := s.use(s.client())
	s.store(ws, "v", 1, 2, 3)
	s.wantClaim(s.claim(ws, "v", &workspace.ClaimOptions{Max: 2}), 1, "1", "2")
	s.ended("v")
	// Ended claims come before values, and whole.
	s.wantClaim(s.claim(other, "v", nil), 2, "1", "2")
	s.ended("v")
	third := s.claim(ws, "v", &workspace.ClaimOptions{Lease: time.Millisecond})
	s.wantClaim(third, 3, "1", "2")
	s.must(third.Settle(s.ctx, workspace.Outcome{Index: third.Values[0].Index}))
	s.eventually(func() bool { // as time goes by, not by EndClaims
		claim := s.claim(other, "v", nil)
		if claim.Attempt == 1 { // the lease of the third had not ended yet
			s.wantClaim(claim, 1, "3")
			return false
		}
		s.wantClaim(claim, 2, "2") // what did the holders to death is settled, or it is not this
		return true
	}, func() string { return "the claim does not end" })
}

func claimRenew(s *site) {
	ws := s.open()
	other := s.use(s.client())
	s.store(ws, "v", 1)
	first := s.claim(ws, "v", nil)
	s.must(first.Renew(s.ctx, time.Hour))
	s.ended("v")
	s.must(first.Renew(s.ctx, time.Hour)) // nobody else has it yet
	s.holds(ws, "v")
	s.ended("v")
	second := s.claim(other, "v", nil)
	s.wantErr(first.Renew(s.ctx, time.Hour), workspace.ErrClaimLost)
	s.must(second.Renew(s.ctx, time.Hour))
	s.must(settleAll(s.ctx, second, ""))
	s.wantErr(second.Renew(s.ctx, time.Hour), workspace.ErrClaimLost)
}

func claimEndWakesClaimer(s *site) {
	ws := s.open()
	other := s.use(s.client())
	s.store(ws, "v", 1)
	s.claim(ws, "v", &workspace.ClaimOptions{Lease: 200 * time.Millisecond})
	waiter := s.claims(other, "v", nil)
	waiter.end()
	s.must(waiter.err)
	s.wantClaim(waiter.claim, 2, "1")
}

func claimEndWakesFetcher(s *site) {
	ws := s.open()
	other := s.use(s.client())
	s.store(ws, "v", 1, 2)
	s.claim(ws, "v", &workspace.ClaimOptions{Max: 2})
	first, second := s.fetch(other, "v"), s.fetch(other, "v")
	s.waiting(ws, "v", 2, 0)
	s.ended("v")
	first.end()
	second.end()
	s.must(first.err)
	s.must(second.err)
	if first.value == second.value {
		s.Fatalf("both got %q", first.value)
	}
	s.waiting(ws, "v", 0, 0)
}

func claimEndedIsFetched(s *site) {
	ws := s.open()
	s.store(ws, "v", 1, 2, 3)
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 2})
	s.ended("v")
	s.fetch(ws, "v").gets("1")
	s.holds(ws, "v", "2", "3")
	s.wantErr(settleAll(s.ctx, claim, "late"), workspace.ErrClaimLost)
	s.holds(ws, "late")
	if n := s.info(ws, "v").Claimed; n != 0 {
		s.Errorf("%d values are still claimed", n)
	}
}

func claimEndClaims(s *site) {
	ws := s.open()
	dead := s.use(s.client())
	s.store(ws, "v", numbers(4)...)
	s.claim(dead, "v", nil)
	s.claim(dead, "v", nil)
	mine := s.claim(ws, "v", nil)
	waiters := []*pending{s.claims(ws, "v", nil)}
	waiters[0].end()
	waiters = append(waiters[:0], s.claims(ws, "v", nil), s.claims(ws, "v", nil), s.claims(ws, "v", nil))
	s.waiting(ws, "v", 3, 0)
	s.must(ws.EndClaims(s.ctx, "v", "nobody"))
	s.waiting(ws, "v", 3, 0)
	s.must(ws.EndClaims(s.ctx, "v", dead.Client()))
	s.waiting(ws, "v", 1, 0)
	s.must(mine.Renew(s.ctx, time.Hour))
	got := 0
	s.eventually(func() bool {
		got = 0
		for _, w := range waiters {
			select {
			case <-w.done:
				s.must(w.err)
				s.wantClaim(w.claim, 2, texts(w.claim)...)
				got++
			default:
			}
		}
		return got == 2
	}, func() string { return "only " + texts(waiters[0].claim)[0] })
}

// What still comes from a holder that was given up for dead takes nothing away from the living.
func claimBuriedHolder(s *site) {
	ws := s.open()
	rdb := s.client()
	dead, bystander := s.use(rdb), s.use(rdb)
	s.store(ws, "v", 1, 2)
	claim := s.claim(dead, "v", nil)
	s.must(ws.EndClaims(s.ctx, "v", dead.Client()))
	_, err := dead.Claim(s.ctx, "v", nil)
	s.wantErr(err, workspace.ErrBuried)
	var text []byte
	s.wantErr(dead.Fetch(s.ctx, "nothing", &text), workspace.ErrBuried)
	s.wantClaim(s.claim(bystander, "v", nil), 2, "1")
	s.wantErr(claim.Renew(s.ctx, time.Hour), workspace.ErrClaimLost)
	s.holds(ws, "v", "2")
}

// A claim is sent again when its reply was lost, and is the same claim then.
func claimLostReply(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	away := s.use(rdb)
	s.store(ws, "lossy", numbers(4)...)
	lost := proxy.loseReply()
	s.wantClaim(s.claim(away, "lossy", &workspace.ClaimOptions{Max: 3}), 1, "0", "1", "2")
	<-lost
	s.holds(ws, "lossy", "3")
}

func claimLostReplyOfAnEndedOne(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	away := s.use(rdb)
	s.store(ws, "lossy", 0)
	s.claim(ws, "lossy", nil)
	s.ended("lossy")
	lost := proxy.loseReply()
	s.wantClaim(s.claim(away, "lossy", nil), 2, "0")
	<-lost
}

// claimEndClaimsInOrder has a value that was on its way to a client that died come before one that was claimed after it, and given
// back: who has that may wait for what comes of this one.
func claimEndClaimsInOrder(s *site) {
	ws := s.open()
	s.store(ws, "v", 1, 2, 3)
	one, err := ws.Claim(s.ctx, "v", nil)
	s.must(err)
	// The first was handed to the other one before that, as serve_fetchers does.
	s.must(s.admin.LPop(s.ctx, s.key("values", "v")).Err())
	now, err := s.admin.Time(s.ctx).Result()
	s.must(err)
	z := func(score int64, member string) redis.Z { return redis.Z{Score: float64(score), Member: member} }
	s.must(s.admin.HSet(s.ctx, s.key("handed", "v"), "dead-1:1=10000", "+5 0 0 handed").Err())
	s.must(s.admin.ZAdd(s.ctx, s.key("waiters", "v"), z(now.UnixMilli()+60_000, "dead-1:1=10000")).Err())
	s.must(s.admin.ZAdd(s.ctx, s.key("live"), z(now.UnixMilli(), "dead-1")).Err())
	s.must(one.Release(s.ctx, 1))
	s.must(ws.EndClaims(s.ctx, "v", "dead-1"))
	s.Cleanup(func() { s.must(s.admin.ZRem(s.ctx, s.key("live"), "dead-1").Err()) })
	var got []string
	for range 3 {
		c, err := ws.Claim(s.ctx, "v", nil)
		s.must(err)
		got = append(got, string(c.Values[0].Text))
		s.must(c.Settle(s.ctx, workspace.Outcome{Index: c.Values[0].Index}))
	}
	if got[0] != "handed" {
		s.Errorf("claimed %q", got)
	}
}
