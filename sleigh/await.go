package sleigh

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/netspaces/netspaces/workspace"
)

// Await waits until n workers have joined, however they were launched, or until ctx ends: then its error says how many had a
// second before at the most. There is no need for it, since tasks run as soon as one has joined, but for EachWorker with
// those of Manual or Command. It returns ErrStopped after Stop, a LaunchError if no worker can be launched, and the errors of
// Find.
func (s *Sleigh) Await(ctx context.Context, n int) error {
	there := 0
	for {
		if err := s.over(); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("sleigh: %d of %d workers have joined: %w", there, n, context.Cause(ctx))
		}
		st, err := statusOf(ctx, s.own)
		switch {
		case ctx.Err() != nil:
			continue
		case err != nil:
			return cmp.Or(s.over(), err)
		}
		there = 0
		var joining []int
		for _, w := range st.Workers {
			switch w.State {
			case Idle, Working:
				there++
			case Joining:
				joining = append(joining, w.Rank)
			case Leaving, Silent:
			}
		}
		if there >= n {
			return nil
		}
		s.awaitChange(ctx, joining)
	}
}

// awaitChange waits until somebody takes a rank or gives one back, one of those who have these ranks joins, or so long that
// one who was silent may be heard again.
func (s *Sleigh) awaitChange(ctx context.Context, joining []int) {
	ctx, cancel := context.WithTimeout(ctx, retryPause)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	var waiting sync.WaitGroup
	defer waiting.Wait()
	waiting.Go(func() {
		changes := 0
		for _, err := range workspace.NewVar[headcount](s.own, teamVar).IFind().All(ctx) {
			if changes++; err != nil || changes > 1 { // the first is how it was
				break
			}
		}
		if changes > 1 {
			cancel()
		}
	})
	for _, rank := range joining {
		waiting.Go(func() {
			if s.own.Find(ctx, workerVarOf(rank), new(json.RawMessage)) == nil {
				cancel()
			}
		})
	}
	<-ctx.Done()
}
