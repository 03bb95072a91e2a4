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
	if s.own, err = workspace.Use(ctx, rdb, name, true); err != nil {
		return nil, err
	}
	if s.user, err = workspace.Use(ctx, rdb, name+"/user", true); err != nil {
		return nil, errors.Join(err, s.own.Close())
	}
	if err := s.takeTerms(ctx, o.SameBuild); err != nil {
		return nil, errors.Join(err, s.user.Close(), s.own.Close())
	}
	if err := s.begin(o, func() error { return nil }); err != nil {
		return nil, err
	}
	return s, nil
}

// takeTerms takes over the terms of the team, or makes them if it is new.
func (s *Sleigh) takeTerms(ctx context.Context, sameBuild bool) error {
	var t terms
	known, err := s.own.TryFind(ctx, termsVar, &t)
	if err != nil {
		return err
	}
	if stopped, err := s.own.TryFind(ctx, stopVar, new(json.RawMessage)); stopped || err != nil {
		return errors.Join(ErrStopped, err)
	}
	switch {
	case !known:
		err = s.tellTerms(ctx, sameBuild)
	case !t.Lasts:
		return fmt.Errorf("sleigh: %w: %q ends with its master, and none can join", ErrTaken, s.Name())
	default:
		s.lease, s.drain, s.level = t.Lease, t.Drain, t.Level
	}
	if err != nil {
		return err
	}
	s.there, _, err = newPlaces(s.own, s.lease, s.slots, 0, s.log).look(ctx)
	return err
}

// refuseLasting returns ErrTaken if there is a team of this name that lasts.
func refuseLasting(ctx context.Context, rdb *redisx.Client, name string) error {
	own, err := workspace.Use(ctx, rdb, name, false)
	if errors.Is(err, workspace.ErrNoWorkspace) {
		return nil
	}
	if err != nil {
		return err
	}
	var t terms
	_, err = own.TryFind(ctx, termsVar, &t)
	if t.Lasts {
		err = fmt.Errorf("sleigh: %w: %q is a team that lasts: use Join", ErrTaken, name)
	}
	return errors.Join(err, own.Close())
}

// Disband ends a team that lasts, for all its masters: their calls fail, all workers leave, and both workspaces are deleted.
// This master leaves as with Stop. It blocks as Stop does. Of a sleigh that Start made it is Stop; a visitor ends such a one, too.
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
	for _, name := range []string{s.user.Name(), s.Name()} {
		if gone := workspace.Delete(ctx, s.rdb, name); !errors.Is(gone, workspace.ErrNoWorkspace) {
			err = errors.Join(err, gone)
		}
	}
	return err
}
