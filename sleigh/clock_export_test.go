package sleigh

import (
	"context"

	"github.com/netspaces/netspaces/redisx"
)

// Nobody is a Launcher of n workers that a test enlists by itself.
func Nobody(n int) Launcher { return nobody(n) }

type nobody int

func (n nobody) size() int                    { return int(n) }
func (n nobody) launch(*Sleigh) (team, error) { return n, nil }
func (n nobody) end(context.Context)          {}

// Enlisted is a worker that a test has enlisted.
type Enlisted struct{ w *Worker }

// Enlist has a worker of a rank join by a client of its own.
func Enlist(ctx context.Context, rdb *redisx.Client, s *Sleigh, rank int) (*Enlisted, error) {
	w, err := join(ctx, rdb, s.member(rank), s.log)
	return &Enlisted{w}, err
}

// Serve runs tasks until the worker has nothing left to work for, and leaves.
func (e *Enlisted) Serve(ctx context.Context) {
	e.w.serve(ctx)
	_ = e.w.close()
}

// ServeUntilLeft is Serve of a worker process, which is told to leave when the channel is closed.
func (e *Enlisted) ServeUntilLeft(ctx context.Context, leave <-chan struct{}) {
	orders := make(chan order)
	served := make(chan struct{})
	defer close(served)
	go func() {
		select {
		case <-leave:
			orders <- leaveOrder
		case <-served:
		}
	}()
	e.w.serveUntil(ctx, orders)
	_ = e.w.close()
}

// Bury does what a launcher does for a worker that it has seen die: it says what it knows, nil where what ran is not to blame, and
// the claims of the worker end.
func (e *Enlisted) Bury(ctx context.Context, s *Sleigh, death *Death) error {
	client := e.w.own.Client()
	if err := s.own.Store(ctx, deathVarOf(client), death); err != nil {
		return err
	}
	for _, variable := range []string{taskVar, taskVarOf(e.w.rank)} {
		if err := s.own.EndClaims(ctx, variable, client); err != nil {
			return err
		}
	}
	return nil
}

// Held is tasks that a worker has claimed which does not serve.
type Held struct{ b *batch }

// Claim claims a task, as Serve does, and waits for it.
func (e *Enlisted) Claim(ctx context.Context) *Held {
	return &Held{e.w.claim(ctx, func() {}, e.w.forAny)}
}

// Run runs what is claimed; tasks whose holder has died, it only takes apart.
func (h *Held) Run(ctx context.Context) { h.b.run(context.WithValue(ctx, workerKey{}, h.b.w), nil) }

// Attempt is how often the tasks have been claimed.
func (h *Held) Attempt() int { return h.b.claim.Attempt }

// Leave ends a worker that does not serve.
func (e *Enlisted) Leave() { _ = e.w.close() }

// TakeRank has the master keep the lowest rank that is free, as if it had launched its worker.
func TakeRank(ctx context.Context, s *Sleigh) error {
	_, err := s.places.take(ctx, 1)
	return err
}
