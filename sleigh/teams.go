package sleigh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// TeamInfo describes a sleigh.
type TeamInfo struct {
	Name    string `json:"name"`
	Lasts   bool   `json:"lasts"`   // it stays when its masters leave: see Join
	Workers int    `json:"workers"` // that are there, or about to join
	Slots   int    `json:"slots"`   // tasks that these can run at a time
	Jobs    int    `json:"jobs"`    // that have not ended
	// Since is when it began, by the clock of the program that made it.
	Since time.Time `json:"since"`
	// Master is that of a sleigh which Start made. One that lasts has any number: Status tells that of each job.
	Master Master `json:"master,omitzero"`
}

// Teams lists the sleighs on a server by their names. It blocks for some round trips for each, and changes nothing. Where one
// cannot be described, it returns the others and an error that names it.
func Teams(ctx context.Context, rdb *redisx.Client) ([]TeamInfo, error) {
	all, err := workspace.List(ctx, rdb)
	failed := []error{err}
	teams := []TeamInfo{}
	for _, ws := range all {
		if !slices.ContainsFunc(all, func(other workspace.Info) bool { return other.Name == ws.Name+"/user" }) {
			continue
		}
		own, seen, err := glanceAt(ctx, rdb, ws.Name)
		if errors.Is(err, ErrNoTeam) {
			continue
		}
		if err == nil {
			err = own.Close()
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("sleigh %q: %w", ws.Name, err))
			continue
		}
		team := TeamInfo{
			Name: ws.Name, Lasts: seen.Lasts, Workers: seen.workers, Slots: seen.slots, Jobs: seen.jobs, Since: seen.Master.Since,
		}
		if !seen.Lasts {
			team.Master = seen.Master
		}
		teams = append(teams, team)
	}
	return teams, errors.Join(failed...)
}

// glance is what one look at a sleigh tells.
type glance struct {
	terms
	workers, slots, ranks, jobs int // that are there, and one more than the highest of these
}

// glanceAt opens the workspace of a sleigh, and makes nothing that is missing. It returns ErrNoTeam if there is none, or it is
// about to begin.
func glanceAt(ctx context.Context, rdb *redisx.Client, name string) (*workspace.Workspace, *glance, error) {
	if name == workspace.Default { // which Use would make
		all, err := workspace.List(ctx, rdb)
		if !slices.ContainsFunc(all, func(ws workspace.Info) bool { return ws.Name == name }) {
			return nil, nil, errors.Join(fmt.Errorf("sleigh: %w: %q", ErrNoTeam, name), err)
		}
	}
	own, err := workspace.Use(ctx, rdb, name, false)
	if err != nil {
		return nil, nil, noTeam(name, err)
	}
	known, err := own.Known(ctx, termsVar)
	if err == nil && !known {
		err = workspace.ErrNoWorkspace // of another kind
	}
	var texts []string
	if err == nil {
		_, texts, err = own.Do(ctx, glanceScript, []string{rankVar, termsVar})
	}
	var seen *glance
	if err == nil {
		seen, err = parseGlance(texts)
	}
	if err != nil {
		return nil, nil, errors.Join(noTeam(name, err), own.Close())
	}
	return own, seen, nil
}

func parseGlance(texts []string) (*glance, error) {
	if len(texts) != 5 || texts[0] == "" {
		return nil, workspace.ErrNoWorkspace
	}
	seen := &glance{}
	if err := json.Unmarshal([]byte(texts[0]), &seen.terms); err != nil {
		return nil, fmt.Errorf("sleigh: what the master wants of workers is not readable: %w", err)
	}
	n, err := numbers(texts[1:])
	if err != nil {
		return nil, err
	}
	seen.workers, seen.slots, seen.ranks, seen.jobs = n[0], n[1], n[2], n[3]
	return seen, nil
}
