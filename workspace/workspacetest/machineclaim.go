package workspacetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/netspaces/netspaces/workspace"
)

// lease is one that does not end during a test; the machine ends leases by EndClaims.
const lease = time.Hour

func (m *machine) claim(t *rapid.T) {
	s, ws, handle, variable, v := m.filled(t)
	opts := &workspace.ClaimOptions{
		Max: rapid.IntRange(0, 5).Draw(t, "max"), Sharers: max(0, rapid.IntRange(-3, 3).Draw(t, "sharers")), Lease: lease,
	}
	claim, err := ws.Claim(m.ctx, variable, opts)
	m.must(err)
	n, free := v.available(), len(v.free())
	m.claimed(s, handle, variable, claim)
	most, got := max(1, min(opts.Max, (n+max(opts.Sharers, 1)-1)/max(opts.Sharers, 1))), len(claim.Values)
	if free > 0 { // those of a claim that has ended come together
		most = max(most, free)
	}
	if got == 0 || got > most {
		m.Fatalf("%d values claimed of %d, with %+v", got, n, *opts)
	}
}

// claimed asks the model whether this claim could be made.
func (m *machine) claimed(s *machineSpace, handle int, variable string, claim *workspace.Claim) {
	c := &machineClaim{Claim: claim}
	var texts []string
	for _, value := range claim.Values {
		texts, c.indexes = append(texts, string(value.Text)), append(c.indexes, value.Index)
	}
	before := fmt.Sprintf("%.100q, after %d that were claimed before",
		s.model.look(variable).values, len(s.model.look(variable).free()))
	var ok bool
	if c.model, ok = s.model.claim(variable, handle, claim.Attempt, texts...); !ok {
		m.Fatalf("claimed %.100q, attempt %d, of %s", texts, claim.Attempt, before)
	}
	s.claims = append(s.claims, c)
}

// some draws a claim that was made, and some of its values in any order: by their places, and by their indexes. One more
// place than there are stands for an index that the claim never had.
func (m *machine) some(t *rapid.T) (s *machineSpace, c *machineClaim, places, indexes []int) {
	s = m.space(t)
	if len(s.claims) == 0 {
		t.Skip("no claims")
	}
	c = s.claims[len(s.claims)-1-rapid.IntRange(0, len(s.claims)-1).Draw(t, "claim")] // most often one of the last
	places = rapid.SliceOfNDistinct(rapid.IntRange(0, len(c.indexes)), 0, -1, rapid.ID).Draw(t, "places")
	for _, i := range places {
		index := slices.Max(c.indexes) + 7
		if i < len(c.indexes) {
			index = c.indexes[i]
		}
		indexes = append(indexes, index)
	}
	return s, c, places, indexes
}

func (m *machine) settle(t *rapid.T) {
	s, c, places, indexes := m.some(t)
	var outcomes []workspace.Outcome
	var want workspace.SettleError
	var into []string
	var texts []string
	for j, i := range places {
		value := machineValues.Draw(t, "value")
		target := rapid.SampledFrom(append([]string{""}, m.names...)).Draw(t, "into")
		o := workspace.Outcome{Index: indexes[j], Into: target, Value: value.value}
		outcomes = append(outcomes, o)
		if o.Into != "" && s.model.vars[o.Into] == nil && !slices.Contains(want.Missing, o.Into) {
			want.Missing = append(want.Missing, o.Into)
		}
		if !c.model.mine(i) {
			want.Lost = append(want.Lost, o.Index)
		} else {
			into, texts = append(into, o.Into), append(texts, value.text)
		}
	}
	err := c.Settle(m.ctx, outcomes...)
	for _, i := range places {
		c.model.settle(i)
	}
	for j, name := range into {
		if name != "" && s.model.vars[name] != nil {
			s.model.store(name, texts[j])
		}
	}
	if len(want.Lost)+len(want.Missing) == 0 {
		m.must(err)
		return
	}
	got, ok := errors.AsType[*workspace.SettleError](err)
	if !ok || !slices.Equal(got.Lost, want.Lost) || !slices.Equal(got.Missing, want.Missing) {
		m.Fatalf("Settle of %v: error %v, want %v", indexes, err, &want)
	}
}

func (m *machine) release(t *rapid.T) {
	_, c, places, indexes := m.some(t)
	m.must(c.Release(m.ctx, indexes...))
	c.model.release(places...)
}

func (m *machine) renew(t *rapid.T) {
	_, c, _, _ := m.some(t)
	err := c.Renew(m.ctx, lease)
	if !c.model.renew() {
		m.wantErr("Renew", err, workspace.ErrClaimLost)
		return
	}
	m.must(err)
}

func (m *machine) endClaims(t *rapid.T) {
	s, ws, handle, variable := m.place(t)
	m.must(ws.EndClaims(m.ctx, variable, ws.Client()))
	s.model.endClaims(variable, handle)
}
