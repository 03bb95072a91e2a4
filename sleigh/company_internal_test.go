package sleigh

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestClockCompany has tasks begin beside careful ones.
func TestClockCompany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var c company
		enter := func(ctx context.Context, careful bool, at time.Duration) (leave func()) {
			t.Helper()
			leave = c.enter(ctx, careful)
			if waited := time.Since(began); waited != at {
				t.Errorf("it begins at %v, want %v", waited, at)
			}
			return leave
		}
		const ms = time.Millisecond
		one, other := enter(t.Context(), false, 0), enter(t.Context(), false, 0)
		time.AfterFunc(300*ms, one)
		time.AfterFunc(400*ms, other)
		careful := enter(t.Context(), true, 400*ms) // when nobody else runs
		time.AfterFunc(200*ms, careful)
		one = enter(t.Context(), false, 600*ms) // when that has ended
		enter(t.Context(), true, 1600*ms)       // since nobody waits for longer
		enter(t.Context(), false, 2600*ms)      // the same
		enter(t.Context(), false, 2600*ms)      // since the careful one began a while ago
		one()

		ended, cancel := context.WithCancel(t.Context())
		cancel()
		enter(ended, true, 2600*ms) // it has to learn of that
		if c.running != 4 || c.careful != 1 {
			t.Errorf("%d run, for %d of them others wait", c.running, c.careful)
		}
	})
}
