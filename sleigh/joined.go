package sleigh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// Join makes this program a master of the team of a name that lasts: the team stays when its masters leave, with its
// workers, which are started by hand on any machine (see Manual; they may be there before), and with what is in User. It is
// made where it is missing. Any number of masters may be there at a time, each with jobs of its own, which share the workers.
// With Options.Launch this program launches workers of its own in addition, which leave with it, but for those that Command has
// submitted to a queue: these stay, and DrainWorker has them leave. Lease, Drain, LogLevel and
// SameBuild count where it makes the team; then they are those of the team. Output gets the lines of the master's own jobs,
// and those that are of no job.
//
// A job ends with its master, unless it has a name: see JobOptions.Name. It returns ErrTaken if there is a sleigh of the name
// that Start has made, and ErrStopped if somebody ends the team at this moment. It blocks for some round trips.
func Join(ctx context.Context, rdb *redisx.Client, name string, opts *Options) (*Sleigh, error) {
	o, err := opts.resolve()
	if err != nil {
		return nil, err
	}
	if o.Launch != nil && o.Launch.size() < 1 {
		return nil, fmt.Errorf("sleigh: a team of %d workers: at least 1 is needed", o.Launch.size())
	}
	s := newSleigh(rdb, o)
	s.lasts = true
	for err = workspace.ErrNoWorkspace; errors.Is(err, workspace.ErrNoWorkspace); {
		err = s.openTeam(ctx, name, o.SameBuild) // again, if the team ended just then
	}
	if err != nil {
		return nil, err
	}
	if err := s.begin(o, func() error { return nil }); err != nil {
		return nil, err
	}
	return s, nil
}

// openTeam opens the workspaces of a team that lasts, and takes over its terms. It returns ErrNoWorkspace if the team has ended
// meanwhile.
func (s *Sleigh) openTeam(ctx context.Context, name string, sameBuild bool) error {
	var err error
	if s.own, err = workspace.Use(ctx, s.rdb, name, true); err != nil {
		return err
	}
	if s.user, err = workspace.Use(ctx, s.rdb, name+"/user", true); err != nil {
		return errors.Join(err, s.own.Close())
	}
	if err = s.takeTerms(ctx, sameBuild); err != nil {
		return errors.Join(err, s.user.Close(), s.own.Close())
	}
	return nil
}

// takeTerms takes over the terms of the team, or makes them if it is new. It deletes a team that somebody has begun to end who is
// gone, and returns ErrNoWorkspace then.
func (s *Sleigh) takeTerms(ctx context.Context, sameBuild bool) error {
	word, texts, err := s.own.Do(ctx, termsScript, []string{termsVar, stopVar}, asJSON(s.terms(sameBuild)))
	switch {
	case err != nil:
		return err
	case word == "TAKEN":
		return fmt.Errorf("sleigh: %w: %q ends with its master, and none can join", ErrTaken, s.Name())
	case word == "STOPPED":
		return ErrStopped
	case word == "LEFT":
		if err := s.deleteBoth(ctx); err != nil {
			return err
		}
		return workspace.ErrNoWorkspace
	}
	var t terms
	if err := json.Unmarshal([]byte(texts[0]), &t); err != nil {
		return fmt.Errorf("sleigh: what the team %q wants is not readable: %w", s.Name(), err)
	}
	s.lease, s.drain, s.level = t.Lease, t.Drain, t.Level
	s.there, _, err = newPlaces(s.own, s.lease, s.slots, 0, s.log).look(ctx)
	return err
}

// deleteBoth deletes the workspaces of the team, but not those of a later one of its name.
func (s *Sleigh) deleteBoth(ctx context.Context) error {
	var failed []error
	for _, ws := range []*workspace.Workspace{s.user, s.own} {
		if err := ws.Delete(ctx); !errors.Is(err, workspace.ErrNoWorkspace) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// takenBy is the error of Start where there is a workspace of the name.
func takenBy(ctx context.Context, rdb *redisx.Client, name string) error {
	taken := fmt.Errorf("sleigh: %w: %q", ErrTaken, name)
	own, seen, err := glanceAt(ctx, rdb, name)
	if errors.Is(err, ErrNoTeam) {
		return taken
	}
	if err != nil {
		return err
	}
	if seen.Lasts {
		taken = fmt.Errorf("sleigh: %w: %q is a team that lasts: use Join", ErrTaken, name)
	}
	return errors.Join(taken, own.Close())
}

// Disband ends a team that lasts, for all its masters: their calls fail, all workers leave, and both workspaces are deleted.
// This master leaves as with Stop. It blocks as Stop does, and deletes them also if ctx has ended. If it is killed on its
// way, the next Join ends the team and makes a new one. Of a sleigh that Start made it is Stop; a visitor ends such a one,
// too.
func (s *Sleigh) Disband(ctx context.Context) error {
	if (s.lasts || s.visits) && !s.stopped.Load() {
		drain, cancel := context.WithTimeout(ctx, drainFor)
		defer cancel()
		s.disband(drain)
	}
	err := s.Stop(ctx)
	if !s.lasts && !s.visits {
		return err
	}
	quick, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor) // otherwise a name is left that means nothing
	defer cancel()
	return errors.Join(err, s.deleteBoth(quick))
}
