package workspace

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"time"
)

// Claim is some values of a variable that a caller has taken under a lease. If it neither settles them nor renews the
// lease, they are claimed or fetched by the next who asks. A value is settled exactly once: by whoever comes first, also
// after the lease ran out, as long as nobody else has settled it.
type Claim struct {
	// Attempt is 1 the first time that these values are claimed, and one higher each time that a lease ran out before any
	// of them was settled.
	Attempt int
	// Values are those that are not settled.
	Values []Claimed

	ws       *Workspace
	variable string
	id       string
}

// Claimed is one value of a claim.
type Claimed struct {
	Index int // names the value in Settle
	Text  []byte
}

// ClaimOptions are those of Workspace.Claim.
type ClaimOptions struct {
	// Max is how many values to claim at the most, 1000 at the most. Defaults to 1.
	Max int
	// Sharers is among how many claimers the values that are there should be shared: a claim takes at most this part of
	// them, but one. Defaults to 1.
	Sharers int
	// Lease is how long the claim lasts without Renew. Defaults to 30 s.
	Lease time.Duration
}

// Outcome is what came of a claimed value.
type Outcome struct {
	Index int
	// Into is the variable of the same workspace to store Value into; nothing is stored if it is empty or deleted.
	Into  string
	Value any
}

const maxClaim = 1000

// Claim takes up to some values out of a variable under a lease. Values whose claim ended without being settled come
// first, as they were claimed. It blocks until there is a value, and returns the errors of Find.
func (ws *Workspace) Claim(ctx context.Context, variable string, opts *ClaimOptions) (*Claim, error) {
	o := ClaimOptions{Max: 1, Sharers: 1, Lease: 30 * time.Second}
	if opts != nil {
		o.Max, o.Sharers = max(opts.Max, 1), max(opts.Sharers, 1)
		if opts.Lease > 0 {
			o.Lease = opts.Lease
		}
	}
	r, err := ws.await(ctx, claimScript, variable,
		rand.Text()[:12], ws.client, min(o.Max, maxClaim), o.Sharers, o.Lease.Milliseconds())
	if err != nil {
		return nil, err
	}
	c := &Claim{ws: ws, variable: variable, id: r.text(0), Attempt: r.number(1)}
	for i := 2; i+1 < len(r.rest); i += 2 {
		c.Values = append(c.Values, Claimed{Index: r.number(i), Text: []byte(r.text(i + 1))})
	}
	return c, nil
}

// SettleError says what Settle did not do. It is ErrClaimLost if values were lost, and ErrNoVar if variables were missing.
type SettleError struct {
	Lost    []int    // indexes of values that were settled before; nothing was stored for them
	Missing []string // variables that are not there; the values are settled, but nothing was stored into these
}

func (e *SettleError) Error() string {
	return fmt.Sprintf("settled before: %v; no such variable: %q", e.Lost, e.Missing)
}

// Is makes it ErrClaimLost, ErrNoVar or both.
func (e *SettleError) Is(target error) bool {
	return target == ErrClaimLost && len(e.Lost) > 0 || target == ErrNoVar && len(e.Missing) > 0
}

// Settle ends the claim of the values named, and stores what came of them, in one step. The values that it does not name
// stay claimed. It blocks for a round trip, and returns a *SettleError if somebody else was first, or if a variable to
// store into is missing. After a connection broke, it may take its own first try for somebody else's.
func (c *Claim) Settle(ctx context.Context, outcomes ...Outcome) error {
	if len(outcomes) == 0 {
		return nil
	}
	targets, numbers := []string{}, map[string]int{"": 0}
	for _, o := range outcomes {
		if _, known := numbers[o.Into]; !known {
			targets = append(targets, o.Into)
			numbers[o.Into] = len(targets)
		}
	}
	args := []any{c.ws.incarnation, c.variable, c.id, len(targets)}
	for _, t := range targets {
		args = append(args, t)
	}
	for _, o := range outcomes {
		var text []byte
		if o.Into != "" {
			var err error
			if text, err = encode(o.Value); err != nil {
				return c.ws.wrap(o.Into, err)
			}
		}
		args = append(args, strconv.Itoa(o.Index), numbers[o.Into], text)
	}
	r, err := c.ws.call(ctx, settleScript, c.ws.keys.forScript(append([]string{c.variable}, targets...)...), args...)
	if err != nil {
		return c.ws.wrap(c.variable, err)
	}
	var failed SettleError
	lost := r.number(0)
	for i := range lost {
		index, _ := strconv.Atoi(r.text(1 + i))
		failed.Lost = append(failed.Lost, index)
	}
	for i := 1 + lost; i < len(r.rest); i++ {
		failed.Missing = append(failed.Missing, r.text(i))
	}
	if len(r.rest) > 1 {
		return c.ws.wrap(c.variable, &failed)
	}
	return nil
}

// Renew extends the lease, counted from now. It returns ErrClaimLost if all values are settled or somebody else has them.
// It blocks for a round trip.
func (c *Claim) Renew(ctx context.Context, lease time.Duration) error {
	r, err := c.ws.call(ctx, renewClaimScript, c.ws.keys.forScript(c.variable),
		c.ws.incarnation, c.variable, c.id, c.ws.client, lease.Milliseconds())
	if err == nil && r.word == "LOST" {
		err = ErrClaimLost
	}
	if err != nil {
		return c.ws.wrap(c.variable, err)
	}
	return nil
}

// Release gives the values named back: they are the next to be fetched or claimed, in their order, as if they had never
// been claimed. Values that this claim holds no more are passed over. It blocks for a round trip.
func (c *Claim) Release(ctx context.Context, indexes ...int) error {
	if len(indexes) == 0 {
		return nil
	}
	args := []any{c.ws.incarnation, c.variable, c.id, c.ws.client}
	for _, i := range indexes {
		args = append(args, i)
	}
	if _, err := c.ws.call(ctx, releaseScript, c.ws.keys.forScript(c.variable), args...); err != nil {
		return c.ws.wrap(c.variable, err)
	}
	return nil
}

// Client is the name of this handle in Redis, which its claims carry.
func (ws *Workspace) Client() string { return ws.client }

// EndClaims ends the leases of all claims on a variable that a handle holds, by its Client: this one, or another that is
// known to be dead. Should that not be, it gets ErrBuried from now on where it claims or has to wait. It blocks for a round
// trip.
func (ws *Workspace) EndClaims(ctx context.Context, variable, client string) error {
	if _, err := ws.call(ctx, endClaimsScript, ws.keys.forScript(variable),
		ws.incarnation, variable, client, ws.client); err != nil {
		return ws.wrap(variable, err)
	}
	return nil
}
