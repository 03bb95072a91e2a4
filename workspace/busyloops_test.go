package workspace_test

import (
	"sync"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// TestBusyLoopsHoldNoLanes has more IFetch loops in their bodies than a handle has lanes, and each of them store then.
func TestBusyLoopsHoldNoLanes(t *testing.T) {
	rdb, err := redisx.Open(t.Context(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rdb.Close() })
	ws, err := workspace.Open(t.Context(), rdb, "busy", nil)
	if err != nil {
		t.Fatal(err)
	}
	const loops = 600
	if err := ws.StoreAll(t.Context(), "x", make([]any, loops)...); err != nil {
		t.Fatal(err)
	}
	var inside, ended sync.WaitGroup
	inside.Add(loops)
	for range loops {
		ended.Go(func() {
			for _, err := range workspace.NewVar[any](ws, "x").IFetch().All(t.Context()) {
				inside.Done()
				if err != nil {
					t.Error(err)
					return
				}
				inside.Wait() // blocks for ever where bodies keep others from getting a value
				if err := ws.Store(t.Context(), "y", 1); err != nil {
					t.Error(err)
				}
				return
			}
		})
	}
	ended.Wait()
}
