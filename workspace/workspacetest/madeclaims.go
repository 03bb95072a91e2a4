package workspacetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// tellAndClaim stores into a variable, and claims up to two and then one of its values.
var tellAndClaim = workspace.NewScript("tell and claim", `
local again = refused()
if again and again[1] == 'CLAIMED' then return claims().again(variable(ARGV[3], FIRST), again, CALLER) end
if again then return again end
local var = variable(ARGV[3], FIRST)
store(var, { ARGV[4] }, 1, 1)
local made, names = { 'CLAIMED', '' }, { 'CLAIMED', '' }
claims().make(var, { 2, 1 }, 1, CALLER, 3600000, made, names)
local reply = { 'OK', 'told' }
return answer(claims().with(made, reply), claims().with(names, reply))
`, "")

func doTellAndClaim(ctx context.Context, ws *workspace.Workspace) ([]*workspace.Claim, []string, error) {
	word, texts, err := ws.Do(ctx, tellAndClaim, []string{"lossy"}, `"told"`)
	if err != nil {
		return nil, nil, err
	}
	return ws.MadeClaims("lossy", word, texts)
}

func onceMadeClaims(o *once) {
	far := o.far()
	o.store(o.ws, "lossy", numbers(3)...)
	o.ended("lossy")
	o.strikeLossy()
	made, rest, err := doTellAndClaim(o.ctx, far)
	o.must(err)
	o.struck()
	if len(made) != 2 || len(rest) != 2 || rest[0] != "OK" || rest[1] != "told" {
		o.Fatalf("%d claims, and %q", len(made), rest)
	}
	o.wantClaim(made[0], 1, "0", "1")
	o.wantClaim(made[1], 1, "2")
	o.holds(o.ws, "lossy", `"told"`)
	for _, claim := range made {
		o.must(claim.Renew(o.ctx, time.Hour))
		o.must(settleAll(o.ctx, claim, ""))
	}
	if n := o.info(o.ws, "lossy").Claimed; n != 0 {
		o.Errorf("%d values are claimed still", n)
	}
}

// Claims of which nobody hears are released, and what was stored with them stays.
func lostReplyThenCancelledMadeClaims(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	far := s.use(rdb)
	s.must(far.Store(s.ctx, "introduction", 0))
	s.store(ws, "lossy", numbers(3)...)
	err := s.cancelled(proxy, replyLost, false, func(ctx context.Context) error {
		_, rest, err := doTellAndClaim(ctx, far)
		if err == nil && (len(rest) != 2 || rest[1] != "told") {
			s.Errorf("the reply is %q", rest)
		}
		return err
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		s.Fatal(err)
	}
	s.eventually(func() bool { return s.info(ws, "lossy").Values == 4 },
		func() string { return fmt.Sprintf("the claims are not released: %+v", s.info(ws, "lossy")) })
	s.wantClaim(s.claim(ws, "lossy", &workspace.ClaimOptions{Max: 3}), 1, "0", "1")
	s.wantClaim(s.claim(ws, "lossy", &workspace.ClaimOptions{Max: 3}), 1, "2")
	s.holds(ws, "lossy", `"told"`)
}
