package sleigh

import (
	"context"
	"errors"
)

// InProcess has n workers that are goroutines of this process: for tests, and for functions that must not leave it. A worker
// whose function goes on after its timeout is replaced; the function is left to itself.
func InProcess(n int) Launcher { return inProcess(n) }

type inProcess int

func (n inProcess) size() int { return int(n) }

func (n inProcess) launch(s *Sleigh) (team, error) {
	g := &goroutines{crew: newCrew(s)}
	return g, g.crew.launch(int(n), func(int, int) (runWorker, func()) { return g.run, func() {} })
}

// goroutines is the team that InProcess launches.
type goroutines struct{ crew *crew }

// run is for a keeper. They need not hear from Redis that the sleigh stops.
func (g *goroutines) run(leave, now context.Context, m member) end {
	ctx, cancel := context.WithCancel(leave)
	defer cancel()
	defer context.AfterFunc(now, cancel)()
	w, err := join(ctx, g.crew.s.rdb, m, g.crew.s.log)
	switch {
	case errors.Is(err, errRefused):
		return end{ending: refused, err: err}
	case err != nil:
		return end{ending: replaced, err: err}
	}
	defer func() { _ = w.close() }()
	if w.serveUntil(ctx, nil) == replaced {
		return end{ending: replaced, cause: "a function goes on after its timeout"}
	}
	return end{ending: left, cause: "it was told to"}
}

func (g *goroutines) end(ctx context.Context) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		g.crew.running.Wait()
	}()
	select {
	case <-ended:
	case <-ctx.Done(): // a function that ignores its context cannot be ended
	}
	g.crew.kill()
}
