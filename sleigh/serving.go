package sleigh

import (
	"context"
	"sync"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// Serving is how far Serve is.
type Serving struct {
	// Joined is whether its worker is in the team. One that was cut off from Redis for longer than its lease is not, until it is
	// heard of again: others may have its rank and its tasks.
	Joined bool  `json:"joined"`
	Rank   int   `json:"rank"`  // -1 before it has one
	PID    int   `json:"pid"`   // of the worker process; 0 while none has joined
	State  State `json:"state"` // of the worker; empty while it waits for the team
	// Running are elements that run now; Done and Failed those since Serve began, of which the ones that failed are done, too.
	// What a worker had done in the last second before it ended may not count.
	Running int `json:"running"`
	Done    int `json:"done"`
	Failed  int `json:"failed"`
	// Launched is how many worker processes there were: each but the first one replaced one that had ended.
	Launched int `json:"launched"`
}

// serving tells somebody of that.
type serving struct {
	mu     sync.Mutex // held while tell is called
	tell   func(Serving)
	now    Serving // but for cutOff
	cutOff bool    // from Redis, for longer than the lease
	told   Serving
	past   Serving // Done and Failed of workers that have ended
}

func newServing(tell func(Serving)) *serving {
	return &serving{tell: tell, now: Serving{Rank: -1}, told: Serving{Rank: -1}}
}

func (s *serving) change(f func(now *Serving)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.now)
	s.tellNews()
}

// tellNews tells what has changed. s.mu is held.
func (s *serving) tellNews() {
	news := s.now
	news.Joined = news.Joined && !s.cutOff
	if news != s.told {
		s.told = news
		s.tell(news)
	}
}

// followLease learns whether the lease of the worker's rank is renewed in time, until ctx ends.
func (s *serving) followLease(ctx context.Context, lease time.Duration, renewed <-chan struct{}) {
	late := time.NewTimer(lease)
	defer late.Stop()
	for {
		cutOff := false
		select {
		case <-ctx.Done():
			return
		case <-renewed:
			late.Reset(lease)
		case <-late.C:
			cutOff = true
		}
		s.mu.Lock()
		s.cutOff = cutOff
		s.tellNews()
		s.mu.Unlock()
	}
}

// watch has run followed.
func (s *serving) watch(own *workspace.Workspace, run runWorker) runWorker {
	if s.tell == nil {
		return run
	}
	return func(leave, now context.Context, m member) end {
		began := time.Now()
		s.change(func(now *Serving) {
			now.Rank, now.State = m.Rank, Joining
			now.Launched++
		})
		ctx, cancel := context.WithCancel(context.Background())
		var following sync.WaitGroup
		following.Go(func() { s.follow(ctx, own, m, began) })
		e := run(leave, now, m)
		cancel()
		following.Wait()
		s.change(func(now *Serving) {
			s.past.Done, s.past.Failed = now.Done, now.Failed
			now.Joined, now.PID, now.Running, now.State = false, 0, 0, Joining
		})
		return e
	}
}

// follow learns of a worker from what it tells Redis, until ctx ends.
func (s *serving) follow(ctx context.Context, own *workspace.Workspace, m member, began time.Time) {
	eachOf(ctx, own, workerVarOf(m.Rank), func(info WorkerInfo) bool {
		if info.Launch != m.Launch { // it is of one that had the rank before
			return true
		}
		s.change(func(now *Serving) { now.Joined, now.PID, now.State = true, info.PID, Idle })
		return false
	})
	eachOf(ctx, own, statusVarOf(m.Rank), func(r report) bool {
		if r.At.Before(began) {
			return true
		}
		s.change(func(now *Serving) {
			now.State, now.Running = r.State, len(r.Tasks)
			now.Done, now.Failed = s.past.Done+r.Done, s.past.Failed+r.Failed
		})
		return true
	})
}

// eachOf calls take with the values of a variable as they come, until that returns false, or ctx or the team ends.
func eachOf[T any](ctx context.Context, own *workspace.Workspace, variable string, take func(T) bool) {
	values := workspace.NewVar[T](own, variable).IFind()
	for ctx.Err() == nil {
		for value, err := range values.All(ctx) {
			if isOver(err) || err == nil && !take(value) {
				return
			}
		}
		pause(ctx, retryPause)
		values.Reset() // somebody may have deleted it
	}
}
