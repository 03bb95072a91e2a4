package sleigh

import (
	"context"
	"sync"
)

// InProcess has n workers that are goroutines of this process: for tests, and for functions that must not leave it.
func InProcess(n int) Launcher { return inProcess(n) }

type inProcess int

func (n inProcess) size() int { return int(n) }

func (n inProcess) launch(s *Sleigh) (team, error) {
	g := &goroutines{}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	for rank := range int(n) {
		g.running.Go(func() {
			w, err := join(g.ctx, s.rdb, s.member(rank), s.log)
			if err != nil {
				s.fail(err)
				return
			}
			w.serve(g.ctx)
			_ = w.close()
		})
	}
	return g, nil
}

// goroutines is the team that InProcess launches.
type goroutines struct {
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func (g *goroutines) end(ctx context.Context) {
	g.cancel() // they need not hear it from Redis
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		g.running.Wait()
	}()
	select {
	case <-ended:
	case <-ctx.Done(): // a function that ignores its context cannot be ended
	}
}
