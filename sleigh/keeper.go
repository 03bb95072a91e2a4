package sleigh

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

const (
	maxFailures  = 3 // workers in a row that end before they joined
	firstRestart = 100 * time.Millisecond
	lastRestart  = 10 * time.Second
	deathsKept   = 100             // of all workers
	buryFor      = 3 * time.Second // where the worker is the last one of its keeper
)

// keeper has one worker of a rank, and replaces it until its sleigh is over or the worker was told to leave.
type keeper struct {
	own    *workspace.Workspace
	places *places
	log    *slog.Logger
	member member // what its workers have to know
	// run has a worker work until it ends. It is to leave soon when the first context ends, at once when the second does.
	run    runWorker
	always bool   // also a worker that was told to leave is replaced
	lasts  bool   // the team goes on when there is to be no worker
	origin string // how the ids of its launches begin
	// launches is told how the launches of this keeper go, and says when to give up. If it is nil, maxFailures do.
	launches *launches
	entry    int // of launches, that is this keeper's
	// dismissed is called with the rank of a worker that somebody has told to leave (see DrainWorker); nil: nobody wants to know.
	dismissed func(rank int)

	leave context.Context // ends when there is to be no worker any more
	now   context.Context // ends when that is to be at once
}

// end is how a worker ended.
type end struct {
	ending
	pid    int
	cause  string // as its process tells
	stderr string // the last of it
	killed bool   // by its keeper, since it did not leave
	err    error  // why it could not begin, or another one need not
}

func (e end) why() string {
	if e.err != nil {
		return e.err.Error()
	}
	return e.cause
}

// keep returns when there is to be no worker any more; otherwise with an error that no other worker can mend. The rank is
// given back.
func (k *keeper) keep() error {
	shortest, longest := k.launches.pauses()
	pause := shortest
	for failures := 0; !isDone(k.leave); {
		now, cancel := context.WithCancel(k.now)
		leave, move := context.WithCancel(k.leave)
		k.places.watch(k.member.Rank, cancel, move)
		k.member.Launch = k.origin + rand.Text()
		k.launches.begins(k.entry, k.member.Launch)
		e := k.run(leave, now, k.member)
		lost, moves := isDone(now) && !isDone(k.now), k.places.moves(k.member.Rank)
		move()
		cancel()
		if k.always && !k.lasts && isDone(k.leave) {
			return nil // the sleigh is over, and will be deleted
		}
		last, over := k.bury(e)
		joined := last.joined
		switch {
		case over != nil:
			k.giveBack()
			return over
		case last.dismissed:
			k.launches.worked(k.entry)
			if k.dismissed != nil {
				k.dismissed(k.member.Rank)
			}
			k.giveBack()
			return nil
		case e.ending == refused && k.launches == nil:
			return fmt.Errorf("%w (what it printed stands above)", errRefused)
		case isDone(k.leave) || e.ending == left && !k.always && !lost && !moves:
			k.giveBack()
			return nil
		case moves:
			k.log.Info("the worker takes the rank of one that has gone", "rank", k.member.Rank)
			k.giveBack()
			if !k.takeAnother() {
				return nil
			}
			continue
		case joined || e.ending == replaced && k.launches == nil:
			failures, pause = 0, shortest
			k.launches.worked(k.entry)
			k.log.Warn("worker ended, another one takes its rank", "rank", k.member.Rank, "pid", e.pid, "cause", e.why())
		case k.launches != nil:
			failures++
			if err := k.launches.failed(k.entry, failures, k.member.Rank, e.why(), e.stderr); err != nil {
				k.giveBack()
				return err
			}
		default:
			failures++
			k.log.Warn("worker ended before it joined, another one takes its rank", "rank", k.member.Rank, "pid", e.pid, "cause", e.why())
		}
		if failures == maxFailures && k.launches == nil {
			k.giveBack()
			return fmt.Errorf("the worker of rank %d ended %d times before it joined, at last with %s: "+
				"does main call sleigh.Main() first? What the worker printed stands above", k.member.Rank, failures, e.why())
		}
		if lost && !k.takeAnother() {
			return nil
		}
		select {
		case <-time.After(pause):
			pause = min(2*pause, longest)
		case <-k.leave.Done():
		}
	}
	k.giveBack()
	return nil
}

// giveBack gives the rank back.
func (k *keeper) giveBack() {
	ctx, cancel := context.WithTimeout(context.Background(), retryPause)
	defer cancel()
	_ = k.places.leave(ctx, k.member.Rank) // where this fails, its lease ends by itself
}

// takeAnother takes another rank, in place of one that was lost or given back.
func (k *keeper) takeAnother() bool {
	for !isDone(k.leave) {
		ranks, err := k.places.take(k.leave, 1)
		if err == nil {
			k.member.Rank = ranks[0]
			_ = k.own.DeleteVar(k.leave, dismissVarOf(ranks[0])) // it may have told another worker of this process to leave
			return true
		}
		k.log.Warn("no rank taken, trying again", "error", err)
		pause(k.leave, retryPause)
	}
	return false
}

// fate is what is known in Redis of a worker that has ended.
type fate struct {
	joined    bool
	dismissed bool // somebody has told it to leave, and there is to be no other
}

// bury tells what is known of a worker that ended, and gives its tasks to others. It returns an error if the sleigh is over.
// It does not return before that is done: the next worker of the rank has to find them, and may otherwise wait for what they
// are to store. Where there is to be no next one, it tries for no longer than buryFor: the claims end by themselves.
func (k *keeper) bury(e end) (last fate, over error) {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), drainFor)
		stop := context.AfterFunc(k.leave, func() { time.AfterFunc(buryFor, cancel) })
		last, over, err := k.tryBury(ctx, e)
		stop()
		cancel()
		switch {
		case err == nil:
			return last, over
		case isOver(err):
			return fate{joined: true}, err
		case isDone(k.leave):
			return fate{joined: true}, nil
		}
		k.log.Warn("tasks of a dead worker were not given to others, trying again", "rank", k.member.Rank, "error", err)
		pause(k.leave, retryPause)
	}
}

func (k *keeper) tryBury(ctx context.Context, e end) (last fate, over, err error) {
	if found, err := k.own.TryFind(ctx, stopVar, new(json.RawMessage)); err != nil || found {
		return fate{joined: true}, ErrStopped, err
	}
	whose := ""
	if _, err := k.own.TryFind(ctx, dismissVarOf(k.member.Rank), &whose); err != nil {
		return last, nil, err
	}
	last.dismissed = whose == k.own.Client()
	var info WorkerInfo
	known, err := k.own.TryFind(ctx, workerVarOf(k.member.Rank), &info)
	if err != nil || !known || info.Launch != k.member.Launch {
		return last, nil, err
	}
	last.joined = true
	if e.ending == died {
		if err := k.noteDeath(ctx, info, e); err != nil {
			return last, nil, err
		}
	}
	for _, variable := range []string{taskVar, taskVarOf(k.member.Rank)} {
		if err := k.own.EndClaims(ctx, variable, info.Client); err != nil {
			return last, nil, err
		}
	}
	return last, nil, nil
}

// noteDeath stores what is known of a death, for whoever gets the tasks, and forgets the oldest one of many. It is nothing where
// what the worker ran did not bring it about.
func (k *keeper) noteDeath(ctx context.Context, info WorkerInfo, e end) error {
	death := &Death{Worker: info.Rank, Host: info.Host, PID: info.PID, Cause: e.why(), Stderr: e.stderr}
	if e.killed {
		death = nil
	}
	_, old, err := k.own.Do(ctx, deathScript, []string{deathVarOf(info.Client), deathsVar}, asJSON(death), deathsKept)
	for _, variable := range old {
		if err := k.own.DeleteVar(ctx, variable); err != nil && !errors.Is(err, workspace.ErrNoVar) {
			return err
		}
	}
	return err
}

func isDone(ctx context.Context) bool { return ctx.Err() != nil }

// pause waits for so long, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func newLog(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}
