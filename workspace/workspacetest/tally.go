package workspacetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/netspaces/netspaces/workspace"
)

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

// fetches takes and counts values until its context ends.
func (t *tally) fetches(ctx context.Context, s *site, ws *workspace.Workspace, variable string) {
	for {
		var text []byte
		err := ws.Fetch(ctx, variable, &text)
		if errors.Is(err, context.Canceled) {
			return
		}
		if err != nil {
			s.Error(err)
			return
		}
		t.add(string(text))
	}
}

// whole waits until n different values of a variable came, or the test has failed.
func (t *tally) whole(s *site, variable string, n int) {
	s.Helper()
	s.eventually(func() bool { return t.total() == n || s.Failed() }, func() string {
		return fmt.Sprintf("%d of %d values of %s came", t.total(), n, variable)
	})
}
