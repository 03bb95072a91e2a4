package sleigh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// ServeOptions are those of Serve.
type ServeOptions struct {
	// Slots is how many tasks the worker runs at a time. Defaults to 1.
	Slots int
	// Now, when it ends, has the worker leave at once: what it runs is given back. Defaults to never.
	Now context.Context //nolint:containedctx // It is a second one, beside that of the call.
	// Logger is told of workers that died and the like. Defaults to none.
	Logger *slog.Logger
	// Stderr gets what the worker process writes to its standard error, which goes to the masters too. Defaults to os.Stderr.
	Stderr io.Writer
	// OnState is called when what the worker is and does has changed, one call at a time; of what it does, once a second at
	// the most. It should return soon. Defaults to nothing.
	OnState func(Serving)

	origin string // how the ids of its launches begin, if the master reads what it prints; then nothing goes to Stderr
}

// Serve makes this process the keeper of a worker of the named sleigh, as NETSPACES_TEAM does for any program: it waits until
// there is such a sleigh, also while Redis is away, and launches the worker: a process of this program, whose main must call
// Main first. It replaces the worker if that dies.
//
// NETSPACES_TEAM has Main do that, and not return: a program that calls Serve had best unset it before Main.
//
// It blocks until ctx ends, and the worker has left: what runs may end within the team's drain time (see Options), the rest
// is given back. Where Redis does not answer then, it blocks for some seconds more. It also returns when the team ends, or
// DrainWorker has told the worker to leave. In all these cases it returns nil; else an error that waiting does not mend: the
// team does not want this program, or its worker ends before it joins.
func Serve(ctx context.Context, rdb *redisx.Client, team string, opts *ServeOptions) error {
	o, err := opts.resolve()
	if err != nil {
		return err
	}
	err = o.serve(ctx, rdb, team)
	if isDone(ctx) || isDone(o.Now) || errors.Is(err, workspace.ErrNoWorkspace) || errors.Is(err, ErrStopped) {
		err = nil // the team needs no worker any more, or this is to be none
	}
	return err
}

func (opts *ServeOptions) resolve() (ServeOptions, error) {
	var o ServeOptions
	if opts != nil {
		o = *opts
	}
	if os.Getenv(workerEnv) != "" {
		return o, errors.New("sleigh: Serve in a worker process: call sleigh.Main() first thing in main")
	}
	if o.Slots < 0 {
		return o, fmt.Errorf("sleigh: Slots: %w", errNegative)
	}
	if o.Slots == 0 {
		o.Slots = 1
	}
	if o.Now == nil {
		o.Now = context.Background()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Stderr == nil {
		o.Stderr = os.Stderr
	}
	return o, nil
}

// serve keeps a worker.
func (opts *ServeOptions) serve(ctx context.Context, rdb *redisx.Client, team string) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("sleigh: cannot launch a worker: %w", err)
	}
	leave, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(opts.Now, cancel)()
	tell := newServing(opts.OnState)
	j, err := opts.joinTeam(leave, rdb, team)
	if err != nil {
		return err
	}
	defer func() { _ = j.own.Close() }()
	holding, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() { j.places.hold(holding) })
	if opts.OnState != nil {
		running.Go(func() { tell.followLease(holding, j.terms.Lease, j.places.renewed) })
	}
	if j.terms.Lasts {
		running.Go(func() { keepLooking(holding, j.own, j.terms.Lease, opts.Logger) })
	}
	opts.Logger.Info("joined", "team", team, "rank", j.rank)

	out := stderrThere(j.own, j.terms.Lasts, j.rank)
	defer out.close()
	p := &processes{
		place: onThisHost{program: program, redis: rdb.URL()}, output: out, ended: out.ended, stays: true, kill: context.Background(),
	}
	if opts.origin == "" {
		p.output = io.MultiWriter(opts.Stderr, out) // else the master would have each line twice
	}
	k := &keeper{
		own: j.own, places: j.places, log: opts.Logger, run: tell.watch(j.own, p.run), leave: leave, now: opts.Now, origin: opts.origin,
		member: member{
			Sleigh: team, Keeper: j.own.Client(), Rank: j.rank, Count: max(j.terms.Workers, j.rank+1), Lease: j.terms.Lease, Drain: j.terms.Drain,
			Slots: opts.Slots, Level: j.terms.Level, Lasts: j.terms.Lasts,
		},
	}
	return k.keep()
}

// joining is what a keeper has when it has joined.
type joining struct {
	own    *workspace.Workspace
	terms  terms
	places *places
	rank   int
}

// joinTeam takes a rank of the team, once there is one, also while Redis is away.
func (opts *ServeOptions) joinTeam(ctx context.Context, rdb *redisx.Client, team string) (*joining, error) {
	for waits := false; ; {
		own, err := workspace.Use(ctx, rdb, team, false)
		missing := errors.Is(err, workspace.ErrNoWorkspace)
		if err == nil {
			var j *joining
			if j, err = opts.joinAt(ctx, own); err == nil {
				return j, nil
			}
			_ = own.Close()
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case missing && !waits:
			waits = true
			opts.Logger.Info("waiting for the team to start", "team", team)
		case missing:
		case isAway(err):
			opts.Logger.Warn("Redis is away, trying again", "error", err)
		default:
			return nil, err
		}
		pause(ctx, retryPause) // nothing in Redis tells of a workspace that is to come
	}
}

// joinAt takes a rank of the team that a workspace is of.
func (opts *ServeOptions) joinAt(ctx context.Context, own *workspace.Workspace) (*joining, error) {
	t, err := admit(ctx, own, thisProgram())
	if err != nil {
		return nil, err
	}
	places := newPlaces(own, t.Lease, opts.Slots, t.Workers, opts.Logger)
	ranks, err := places.take(ctx, 1)
	if err != nil {
		return nil, err
	}
	return &joining{own: own, terms: t, places: places, rank: ranks[0]}, nil
}

// isAway reports whether an error may pass, since it is not about what was asked for, but that Redis does not answer.
func isAway(err error) bool {
	for _, lasting := range []error{
		errRefused, ErrEnded, workspace.ErrName, workspace.ErrVersion, workspace.ErrDamaged, workspace.ErrClosed, workspace.ErrNoWorkspace,
		workspace.ErrBuried,
	} {
		if errors.Is(err, lasting) {
			return false
		}
	}
	if _, held := errors.AsType[*HeldError](err); held {
		return false
	}
	_, answered := errors.AsType[interface {
		error
		RedisError()
	}](err)
	return !answered
}
