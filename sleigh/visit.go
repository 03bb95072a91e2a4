package sleigh

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// Visit opens the sleigh of a name for looking in and for orders, without becoming one of its masters: also one that Start
// made in another process. It changes nothing in Redis but for what it is told to do, and takes neither results nor lines
// away from masters. Status, Explain, Finished, Lines, Await, CancelJob, DrainWorker, Disband, User and Name are as for a
// master; what only the master of a job knows of it, such as how many elements there will be, Status does not tell, and its
// rate is that since it began. Calls that begin jobs, and Export, return ErrVisitor. Workers tells how many there were at the
// last call of Visit or Status. Stop only ends the visit.
//
// It returns ErrNoTeam if there is no sleigh of that name, and calls do when it has ended meanwhile. It blocks for some round
// trips.
func Visit(ctx context.Context, rdb *redisx.Client, name string) (*Sleigh, error) {
	own, seen, err := glanceAt(ctx, rdb, name)
	if err != nil {
		return nil, err
	}
	s := newSleigh(rdb, Options{
		Slots: 1, Lease: seen.Lease, Drain: seen.Drain, LogLevel: seen.Level, Logger: slog.New(slog.DiscardHandler),
	})
	s.visits, s.own, s.lasts, s.workers, s.told = true, own, seen.Lasts, seen.Workers, seen.terms
	s.there = headcount{Workers: seen.workers, Slots: seen.slots, Count: max(seen.ranks, s.workers)}
	if s.user, err = workspace.Use(ctx, rdb, name+"/user", false); err != nil {
		return nil, errors.Join(noTeam(name, err), own.Close())
	}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.places = newPlaces(own, s.lease, s.slots, s.workers, s.log)
	s.team = volunteers{}
	return s, nil
}

// mayBegin returns the error of calls that are for masters only, and those of over.
func (s *Sleigh) mayBegin() error {
	if s.visits {
		return ErrVisitor
	}
	return s.over()
}

// noTeam makes an error ErrNoTeam if the workspace of a sleigh is missing.
func noTeam(name string, err error) error {
	if errors.Is(err, workspace.ErrNoWorkspace) && !errors.Is(err, ErrNoTeam) {
		return fmt.Errorf("sleigh: %w: %q", ErrNoTeam, name)
	}
	return err
}

// visited is the error of a call as a visitor gets it.
func (s *Sleigh) visited(err error) error {
	if s.visits {
		return noTeam(s.Name(), err)
	}
	return err
}
