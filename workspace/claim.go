package workspace

import (
	"context"
	"fmt"
	"slices"
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
	// Before is who held it last, by its Client; empty at the first attempt.
	Before string
	// Values are those that are not settled.
	Values []Claimed

	ws       *Workspace
	variable string
	id       string
}

// ID is the claim's name in Redis, for a Script.
func (c *Claim) ID() string { return c.id }

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
	// Into is the variable to store Value into; nothing is stored if it is empty, or if there is no such variable.
	Into  string
	Value any
	// In is the workspace of Into; its name up to the first slash must be that of the claim's. Defaults to the claim's.
	In *Workspace
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
	r, err := ws.await(ctx,
		question{script: claimScript, variable: variable, takes: "=" + strconv.FormatInt(o.Lease.Milliseconds(), 10)},
		random(), ws.client, min(o.Max, maxClaim), o.Sharers, o.Lease.Milliseconds())
	if err != nil {
		return nil, err
	}
	return ws.claimOf(variable, r), nil
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
// store into is missing. No variable is made by it: those to store into must have been declared, stored into or asked for.
func (c *Claim) Settle(ctx context.Context, outcomes ...Outcome) error {
	if len(outcomes) == 0 {
		return nil
	}
	keys, args, targets, err := c.settling(outcomes)
	if err != nil {
		return err
	}
	r, err := c.ws.request(ctx, settleScript, keys, origin{variable: c.variable}, args...)
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
		failed.Missing = append(failed.Missing, targets[r.number(i)-1].variable)
	}
	if len(r.rest) > 1 {
		return c.ws.wrap(c.variable, &failed)
	}
	return nil
}

// target is a variable that a claim's outcome is stored into.
type target struct {
	in       *Workspace
	variable string
}

// settling puts together what the script wants to know.
func (c *Claim) settling(outcomes []Outcome) (keys []string, args []any, targets []target, err error) {
	spaces, targetNumbers := []*Workspace{c.ws}, map[target]int{}
	places, values := []any{}, []any{}
	for _, o := range outcomes {
		if o.Into == "" {
			values = append(values, o.Index, 0, "")
			continue
		}
		t := target{in: o.In, variable: o.Into}
		if t.in == nil {
			t.in = c.ws
		}
		if t.in.keys.tag() != c.ws.keys.tag() {
			return nil, nil, nil, c.ws.wrap(c.variable,
				fmt.Errorf("%w: %q does not begin as %q, so that they may be on different servers",
					ErrName, t.in.name, c.ws.name))
		}
		number, known := targetNumbers[t]
		if !known {
			space := slices.IndexFunc(spaces, func(ws *Workspace) bool {
				return ws.keys == t.in.keys && ws.incarnation == t.in.incarnation
			})
			if space < 0 {
				space = len(spaces)
				spaces = append(spaces, t.in)
			}
			targets = append(targets, t)
			number = len(targets)
			targetNumbers[t] = number
			places = append(places, t.variable, space)
		}
		text, err := encode(o.Value)
		if err != nil {
			return nil, nil, nil, t.in.wrap(o.Into, err)
		}
		values = append(values, o.Index, number, text)
	}
	keys = c.ws.keysFor(c.variable)
	args = []any{c.id, len(spaces) - 1, len(targets)}
	for _, other := range spaces[1:] {
		keys = append(keys, other.keys.workspace(), other.keys.variables(), other.keys.live())
		args = append(args, other.incarnation)
	}
	for _, t := range targets {
		keys = append(keys, t.in.keys.group(t.variable)...)
	}
	return keys, append(append(args, places...), values...), targets, nil
}

// Renew extends the lease, counted from now. It returns ErrClaimLost if all values are settled or somebody else has them,
// and ErrBuried after EndClaims. It blocks for a round trip.
func (c *Claim) Renew(ctx context.Context, lease time.Duration) error {
	r, err := c.ws.call(ctx, renewClaimScript, c.ws.keysFor(c.variable),
		c.ws.incarnation, c.variable, c.id, c.ws.client, lease.Milliseconds())
	switch {
	case err != nil:
	case r.word == "LOST":
		err = ErrClaimLost
	case r.word == "BURIED":
		err = ErrBuried
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
	args := []any{c.id, c.ws.client}
	for _, i := range indexes {
		args = append(args, i)
	}
	keys := c.ws.keys.forScript(c.ws.client, c.variable)
	if _, err := c.ws.request(ctx, releaseScript, keys, origin{variable: c.variable}, args...); err != nil {
		return c.ws.wrap(c.variable, err)
	}
	return nil
}

// Client is the name of this handle in Redis, which its claims carry.
func (ws *Workspace) Client() string { return ws.client }

// EndClaims ends the leases of all claims on a variable that a handle holds, by its Client: this one, or another that is
// known to be dead, whose waiting calls end too. Should that not be, it gets ErrBuried, for some minutes at least. It blocks
// for a round trip.
func (ws *Workspace) EndClaims(ctx context.Context, variable, client string) error {
	if _, err := ws.call(ctx, endClaimsScript, append(ws.keys.forScript(ws.client, variable), ws.keys.client(client)),
		ws.incarnation, variable, client, ws.client); err != nil {
		return ws.wrap(variable, err)
	}
	return nil
}
