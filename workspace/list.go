package workspace

import (
	"context"
	"errors"
	"slices"
)

const listBatch = 100 // variables described by one script

// VarInfo describes a variable.
type VarInfo struct {
	Name     string
	Mode     Mode
	Values   int // that a fetch could take
	Claimed  int // that a claim holds
	Fetchers int // waiting in Fetch, IFetch or Claim
	Finders  int // waiting in Find or IFind
}

// Known reports whether there is a variable of this name: one that was declared, stored into or asked for, and not deleted
// since. Asking so does not make it known. It blocks for a round trip.
func (ws *Workspace) Known(ctx context.Context, variable string) (bool, error) {
	infos, err := ws.describe(ctx, []string{variable})
	return len(infos) == 1, err
}

// ListVars describes all variables of the workspace, in the order of their names. It blocks for some round trips; each
// variable is described as it is at one moment, but not all at the same.
func (ws *Workspace) ListVars(ctx context.Context) ([]VarInfo, error) {
	return ws.describe(ctx, nil)
}

// DescribeVars is ListVars for these variables; those that are not known are left out.
func (ws *Workspace) DescribeVars(ctx context.Context, variables ...string) ([]VarInfo, error) {
	return ws.describe(ctx, append([]string{}, variables...))
}

// describe is ListVars for these variables, or for all there are.
func (ws *Workspace) describe(ctx context.Context, names []string) ([]VarInfo, error) {
	if names == nil {
		var err error
		if names, err = texts(plain(ctx, ws.rdb, "HKEYS", ws.keys.variables())); err != nil {
			return nil, ws.wrap("", err)
		}
	}
	names = slices.Sorted(slices.Values(names))
	var infos []VarInfo
	for first := true; first || len(names) > 0; first = false { // asked at least once, since the workspace may be gone
		some := names[:min(len(names), listBatch)]
		names = names[len(some):]
		args := []any{ws.incarnation}
		for _, name := range some {
			args = append(args, name)
		}
		r, err := ws.call(ctx, listVarsScript, ws.keys.forScript(ws.client, some...), args...)
		switch {
		case errors.Is(err, ErrDamaged) && len(some) > 1: // which of them?
			for _, name := range some {
				if _, err := ws.describe(ctx, []string{name}); err != nil {
					return nil, err
				}
			}
			return nil, ws.wrap("", err)
		case errors.Is(err, ErrDamaged) && len(some) == 1:
			return nil, ws.wrap(some[0], err)
		case err != nil:
			return nil, ws.wrap("", err)
		}
		for i, name := range some {
			if r.text(5*i) != "" { // there is such a variable
				infos = append(infos, VarInfo{
					Name: name, Mode: Mode(r.text(5 * i)), Values: r.number(5*i + 1), Claimed: r.number(5*i + 2),
					Fetchers: r.number(5*i + 3), Finders: r.number(5*i + 4),
				})
			}
		}
	}
	return infos, nil
}
