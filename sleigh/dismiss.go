package sleigh

import (
	"context"
	"fmt"
)

// DrainWorker has the worker of a rank leave, wherever it is and whoever has launched it, as SIGTERM does: it claims no more
// tasks; what runs may end within the drain time (Options), and the rest is given back. Its rank is free then, and nobody
// replaces it. One that was started by hand ends with exit code 0. That the worker was told so before does no harm.
//
// It does not wait for that: Status tells when the worker has left. It returns ErrNoWorker if nobody has the rank. It blocks
// for a round trip.
func (s *Sleigh) DrainWorker(ctx context.Context, rank int) error {
	if err := s.over(); err != nil {
		return err
	}
	word, _, err := s.own.Do(ctx, dismissScript, []string{rankVar, dismissVarOf(rank)}, rank)
	if err == nil && word == "NONE" {
		return fmt.Errorf("sleigh: %w: %d", ErrNoWorker, rank)
	}
	return s.visited(err)
}

// hearDismissal has the worker leave when its keeper is to have none any more.
func (w *Worker) hearDismissal(ctx context.Context) {
	eachOf(ctx, w.own, dismissVarOf(w.rank), func(keeper string) bool {
		if keeper != w.keeper { // it was for one that had the rank before
			return true
		}
		w.dismiss()
		return false
	})
}
