package workspacetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/netspaces/netspaces/workspace"
)

var atomicTests = []test{
	{"V5EachValueGoesToOne", v5EachValueGoesToOne},
	{"V5FindRemovesNothing", v5FindRemovesNothing},
}

// tally counts how often each value was fetched.
type tally struct {
	mu    sync.Mutex
	times map[string]int
}

func (t *tally) add(values ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.times == nil {
		t.times = map[string]int{}
	}
	for _, value := range values {
		t.times[value]++
	}
}

func (t *tally) total() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.times)
}

// once checks that the values 0…n-1 came once each.
func (t *tally) once(s *site, n int) {
	s.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range n {
		if times := t.times[fmt.Sprint(i)]; times != 1 {
			s.Errorf("value %d came %d times", i, times)
		}
	}
	if len(t.times) != n {
		s.Errorf("%d different values came, want %d", len(t.times), n)
	}
}

func v5EachValueGoesToOne(s *site) {
	const clients, fetchersEach, values = 3, 3, 60
	ws := s.open()
	handles := []*workspace.Workspace{ws}
	for range clients - 1 {
		handles = append(handles, s.use(s.client()))
	}
	for _, mode := range []workspace.Mode{workspace.FIFO, workspace.LIFO, workspace.Multi} {
		name := string(mode)
		s.declare(ws, name, mode)
		var came tally
		ctx, stop := context.WithCancel(s.ctx)
		var fetchers, storers sync.WaitGroup
		for _, h := range handles {
			for range fetchersEach {
				fetchers.Go(func() {
					for {
						var text []byte
						err := h.Fetch(ctx, name, &text)
						if errors.Is(err, context.Canceled) {
							return
						}
						if err != nil {
							s.Error(err)
							return
						}
						came.add(string(text))
					}
				})
			}
		}
		for k, h := range handles {
			storers.Go(func() {
				for i := k; i < values; i += clients {
					if err := h.Store(s.ctx, name, i); err != nil {
						s.Error(err)
					}
				}
			})
		}
		storers.Wait()
		s.eventually(func() bool { return came.total() == values || s.Failed() }, func() string {
			return fmt.Sprintf("%s: %d of %d values came", mode, came.total(), values)
		})
		stop()
		fetchers.Wait()
		came.once(s, values)
		s.waiting(ws, name, 0, 0)
		s.holds(ws, name)
	}
}

func v5FindRemovesNothing(s *site) {
	ws := s.open()
	for _, mode := range allModes {
		name := string(mode)
		s.declare(ws, name, mode)
		s.store(ws, name, 1)
		var finders sync.WaitGroup
		for range 10 {
			finders.Go(func() {
				var n int
				if err := ws.Find(s.ctx, name, &n); n != 1 || err != nil {
					s.Errorf("find got %d, %v", n, err)
				}
			})
		}
		finders.Wait()
		s.holds(ws, name, "1")
	}
}
