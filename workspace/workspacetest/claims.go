package workspacetest

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/workspace"
)

var claimTests = []test{
	{"ClaimUpToMax", claimUpToMax},
	{"ClaimOrder", claimOrder},
	{"ClaimSharers", claimSharers},
	{"ClaimWaits", claimWaits},
	{"ClaimHandedAndMore", claimHandedAndMore},
	{"ClaimMessageLost", claimMessageLost},
	{"ClaimMessageLostAndCancelled", claimMessageLostAndCancelled},
	{"ClaimUnheard", claimUnheard},
	{"ClaimIsListed", claimIsListed},
	{"ClaimCancelsRaceWithStores", claimCancelsRaceWithStores},
}

func (s *site) claim(ws *workspace.Workspace, variable string, opts *workspace.ClaimOptions) *workspace.Claim {
	s.Helper()
	o := workspace.ClaimOptions{}
	if opts != nil {
		o = *opts
	}
	if o.Lease == 0 {
		o.Lease = time.Hour // longer than any test takes
	}
	claim, err := ws.Claim(s.ctx, variable, &o)
	s.must(err)
	return claim
}

func texts(claim *workspace.Claim) []string {
	all := []string{}
	for _, v := range claim.Values {
		all = append(all, string(v.Text))
	}
	return all
}

func (s *site) wantClaim(claim *workspace.Claim, attempt int, values ...string) {
	s.Helper()
	if claim.Attempt != attempt || !slices.Equal(texts(claim), values) {
		s.Fatalf("claimed %q at attempt %d, want %q at %d", texts(claim), claim.Attempt, values, attempt)
	}
}

// settleAll settles all values of a claim as they are, into a variable.
func settleAll(ctx context.Context, claim *workspace.Claim, into string) error {
	var outcomes []workspace.Outcome
	for _, v := range claim.Values {
		outcomes = append(outcomes, workspace.Outcome{Index: v.Index, Into: into, Value: v.Text})
	}
	return claim.Settle(ctx, outcomes...)
}

func numbers(n int) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func claimUpToMax(s *site) {
	ws := s.open()
	s.store(ws, "v", numbers(7)...)
	s.wantClaim(s.claim(ws, "v", nil), 1, "0")
	s.wantClaim(s.claim(ws, "v", &workspace.ClaimOptions{Max: 4}), 1, "1", "2", "3", "4")
	s.wantClaim(s.claim(ws, "v", &workspace.ClaimOptions{Max: 4}), 1, "5", "6")
	s.store(ws, "v", numbers(1200)...)
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 5000})
	if len(claim.Values) != 1000 {
		s.Errorf("claimed %d values at once, want 1000", len(claim.Values))
	}
	s.must(settleAll(s.ctx, claim, ""))
	if left := s.drain(ws, "v"); len(left) != 200 || left[0] != "1000" {
		s.Errorf("%d values are left, the first is %q", len(left), left[0])
	}
}

func claimOrder(s *site) {
	ws := s.open()
	for mode, want := range map[workspace.Mode][]string{
		workspace.FIFO: {"0", "1", "2"}, workspace.LIFO: {"4", "3", "2"}, workspace.Single: {"4"},
	} {
		name := string(mode)
		s.declare(ws, name, mode)
		s.store(ws, name, numbers(5)...)
		s.wantClaim(s.claim(ws, name, &workspace.ClaimOptions{Max: 3}), 1, want...)
		if left := s.drain(ws, name); len(left) != max(0, 5-len(want)) && mode != workspace.Single {
			s.Errorf("%s: %q are left", mode, left)
		}
	}
	s.declare(ws, "multi", workspace.Multi)
	s.store(ws, "multi", numbers(50)...)
	var all []string
	for range 50 {
		all = append(all, texts(s.claim(ws, "multi", nil))...)
	}
	slices.Sort(all)
	if n := len(slices.Compact(all)); n != 50 {
		s.Errorf("claims gave %d different values of 50", n)
	}
}

func claimSharers(s *site) {
	ws := s.open()
	s.store(ws, "v", numbers(10)...)
	for _, want := range []int{4, 2, 2, 1, 1} { // of 10, 6, 4, 2 and 1
		claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 100, Sharers: 3})
		if len(claim.Values) != want {
			s.Errorf("claimed %q, want %d values", texts(claim), want)
		}
	}
}

func claimWaits(s *site) {
	ws := s.open()
	other := s.use(s.client())
	fetch := s.fetch(other, "v")
	s.waiting(ws, "v", 1, 0)
	claim := s.claims(other, "v", &workspace.ClaimOptions{Max: 10})
	s.waiting(ws, "v", 2, 0)
	last := s.fetch(ws, "v")
	s.waiting(ws, "v", 3, 0)
	s.store(ws, "v", 1)
	fetch.gets("1")
	s.store(ws, "v", 2)
	claim.end()
	s.must(claim.err)
	s.wantClaim(claim.claim, 1, "2")
	s.store(ws, "v", 3)
	last.gets("3")
}

// A claimer that waited takes what it was handed, and more if there is more.
func claimHandedAndMore(s *site) {
	ws := s.open()
	claim := s.claims(ws, "v", &workspace.ClaimOptions{Max: 3})
	s.waiting(ws, "v", 1, 0)
	s.store(ws, "v", numbers(5)...)
	claim.end()
	s.must(claim.err)
	s.wantClaim(claim.claim, 1, "0", "1", "2")
	s.holds(ws, "v", "3", "4")
}

// The message that brings a claim is lost: the claimer has it with the next beat, as it was.
func claimMessageLost(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	claim := s.claims(s.use(rdb), "v", nil)
	s.waiting(ws, "v", 1, 0)
	proxy.deafen()
	s.store(ws, "v", 1)
	claim.end()
	s.must(claim.err)
	s.wantClaim(claim.claim, 1, "1")
	s.waiting(ws, "v", 0, 0)
	s.must(settleAll(s.ctx, claim.claim, ""))
	s.holds(ws, "v")
	if n, err := s.admin.Exists(s.ctx, s.key("claimed", "v"), s.key("deadlines", "v"), s.key("handed", "v")).Result(); n != 0 || err != nil {
		s.Errorf("it left %d keys, %v", n, err)
	}
}

// The message that brings a claim is lost, and the claimer's context ends: the value is claimed as if never before.
func claimMessageLostAndCancelled(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	first := s.claims(s.use(rdb), "v", nil)
	s.waiting(ws, "v", 1, 0)
	second := s.claims(ws, "v", nil)
	s.waiting(ws, "v", 2, 0)
	proxy.deafen()
	s.store(ws, "v", 1)
	first.cancel()
	first.end()
	if first.err == nil { // a beat came in between
		s.must(first.claim.Release(s.ctx, first.claim.Values[0].Index))
	}
	second.end()
	s.must(second.err)
	s.wantClaim(second.claim, 1, "1")
	s.waiting(ws, "v", 0, 0)
	s.must(settleAll(s.ctx, second.claim, ""))
}

// Where nobody hears a claimer's messages but those to whom they are passed on, as to replicas, none brings a claim.
func claimUnheard(s *site) {
	ws := s.open()
	passedOn := s.admin.PSubscribe(s.ctx, "*:inbox:ghost")
	defer func() { _ = passedOn.Close() }()
	_, err := passedOn.Receive(s.ctx)
	s.must(err)
	now, err := s.admin.Time(s.ctx).Result()
	s.must(err)
	s.must(s.admin.ZAdd(s.ctx, s.key("live"), redis.Z{Score: float64(now.UnixMilli()), Member: "ghost"}).Err())
	for _, variable := range []string{"unknown", "known"} {
		if variable == "known" {
			s.declare(ws, variable, workspace.FIFO)
		}
		s.must(s.admin.ZAdd(s.ctx, s.key("waiters", variable), redis.Z{Score: 1, Member: "ghost:1=30000"}).Err())
		s.store(ws, variable, 1)
		if info := s.info(ws, variable); info.Claimed != 0 {
			s.Errorf("%s: %+v, want none claimed", variable, info)
		}
	}
}

func claimIsListed(s *site) {
	ws := s.open()
	s.store(ws, "v", numbers(5)...)
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 3})
	want := workspace.VarInfo{Name: "v", Mode: workspace.FIFO, Values: 2, Claimed: 3}
	if got := s.info(ws, "v"); got != want {
		s.Errorf("%+v, want %+v", got, want)
	}
	s.must(claim.Settle(s.ctx, workspace.Outcome{Index: claim.Values[1].Index}))
	for range 3 { // however often it is claimed again
		if n := s.info(ws, "v").Claimed; n != 2 {
			s.Errorf("%d values are claimed, want 2", n)
		}
		s.ended("v")
		claim = s.claim(ws, "v", nil)
	}
	s.must(settleAll(s.ctx, claim, ""))
	if n, err := s.admin.Exists(s.ctx, s.key("claimed", "v"), s.key("deadlines", "v")).Result(); n != 0 || err != nil {
		s.Errorf("a claim that is settled left %d keys, %v", n, err)
	}
}

// As V9 has it for fetch: whenever contexts end, each value comes out once, here through claims that are settled.
func claimCancelsRaceWithStores(s *site) {
	const values, claimers = 60, 4
	ws := s.open()
	s.declare(ws, "done", workspace.FIFO)
	var all sync.WaitGroup
	stop, stopped := context.WithCancel(s.ctx)
	for c := range claimers {
		h := s.use(s.rdb)
		chance := rand.New(rand.NewPCG(uint64(c), 9))
		all.Go(func() {
			for stop.Err() == nil {
				ctx, cancel := context.WithTimeout(s.ctx, time.Duration(chance.IntN(3000))*time.Microsecond)
				claim, err := h.Claim(ctx, "v", &workspace.ClaimOptions{Max: 1 + chance.IntN(3), Sharers: 2})
				if err == nil {
					err = settleAll(s.ctx, claim, "done")
				} else if ctx.Err() != nil {
					err = nil
				}
				cancel()
				if err != nil {
					s.Error(err)
					return
				}
			}
		})
	}
	for i := range values {
		s.store(ws, "v", i)
	}
	stopped()
	all.Wait()
	s.waiting(ws, "v", 0, 0)
	var came tally
	came.add(s.drain(ws, "v")...)
	came.add(s.drain(ws, "done")...)
	came.once(s, values)
	if n := s.info(ws, "v").Claimed; n != 0 {
		s.Errorf("%d values are still claimed", n)
	}
}
