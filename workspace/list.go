package workspace

import (
	"context"
	"slices"
)

const listBatch = 100 // variables described by one script

// VarInfo describes a variable.
type VarInfo struct {
	Name     string
	Mode     Mode
	Values   int // that a fetch could take
	Claimed  int // that a claim holds
	Fetchers int // waiting in Fetch or Claim
	Finders  int // waiting in Find
}

// Known reports whether there is a variable of this name: one that was declared, stored into or asked for, and not deleted
// since. Asking so does not make it known. It blocks for a round trip.
func (ws *Workspace) Known(ctx context.Context, variable string) (bool, error) {
	found, err := plain(ctx, ws.rdb, "HEXISTS", ws.keys.variables(), variable)
	if err != nil {
		return false, ws.wrap(variable, err)
	}
	return found == int64(1), nil
}

// ListVars describes all variables of the workspace, in the order of their names. It blocks for some round trips; each
// variable is described as it is at one moment, but not all at the same.
func (ws *Workspace) ListVars(ctx context.Context) ([]VarInfo, error) {
	names, err := texts(plain(ctx, ws.rdb, "HKEYS", ws.keys.variables()))
	if err != nil {
		return nil, ws.wrap("", err)
	}
	slices.Sort(names)
	var infos []VarInfo
	for some := range slices.Chunk(names, listBatch) {
		args := []any{ws.incarnation}
		for _, name := range some {
			args = append(args, name)
		}
		r, err := ws.call(ctx, listVarsScript, ws.keys.forScript(ws.client, some...), args...)
		if err != nil {
			return nil, ws.wrap("", err)
		}
		for i, name := range some {
			if r.text(5*i) != "" { // deleted meanwhile
				infos = append(infos, VarInfo{
					Name: name, Mode: Mode(r.text(5 * i)), Values: r.number(5*i + 1), Claimed: r.number(5*i + 2),
					Fetchers: r.number(5*i + 3), Finders: r.number(5*i + 4),
				})
			}
		}
	}
	if len(names) == 0 { // nothing was asked of the workspace itself
		if _, err := ws.call(ctx, listVarsScript, ws.keys.forScript(ws.client), ws.incarnation); err != nil {
			return nil, ws.wrap("", err)
		}
	}
	return infos, nil
}
