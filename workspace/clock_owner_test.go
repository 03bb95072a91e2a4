package workspace_test

import (
	"testing"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

const s = time.Second

func TestClockOwnerRenewsAtAThird(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ws, _ := b.owner(&workspace.Options{Lease: 30 * s})
		for _, at := range []time.Duration{0, 10 * s, 20 * s, 30 * s, 600 * s} {
			b.until(at)
			if got := b.lease(); got != at+30*s {
				b.Errorf("at %v the lease ends at %v, want %v", at, got, at+30*s)
			}
		}
		if got := b.server.times(0, ws.Client(), "renew"); len(got) != 60 {
			b.Errorf("in ten minutes it was renewed %d times", len(got))
		}
	})
}
