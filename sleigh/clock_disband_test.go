package sleigh_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/netspaces/netspaces/sleigh"
)

// TestS13DisbandKilled kills a master while it ends its team. Others are told that somebody does, until that one counts as dead:
// then one who joins ends the team, and has a new one, which the old master cannot end any more.
func TestS13DisbandKilled(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		rdb, on := b.client()
		old, err := sleigh.Join(b.ctx, rdb, "farm", nil)
		b.must(err)
		b.must(old.User().Store(b.ctx, "x", "old"))
		b.must(old.TellStop(b.ctx))
		on.die()
		synctest.Wait()
		other, _ := b.client()
		if _, err := sleigh.Join(b.ctx, other, "farm", nil); !errors.Is(err, sleigh.ErrStopped) {
			t.Errorf("Join at once: %v", err)
		}
		b.until(b.now() + 7*s)
		next, _ := b.lasting(nil)
		if there, err := next.User().TryFind(b.ctx, "x", new(string)); there || err != nil {
			t.Errorf("User has what the old team had: %v, %v", there, err)
		}
		on.revive()
		b.must(old.Disband(b.ctx))
		b.must(next.User().Store(b.ctx, "x", "new"))
	})
}
