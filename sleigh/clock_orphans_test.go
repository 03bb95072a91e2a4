package sleigh_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// lasting is a master of the team "farm", which lasts, on a machine of its own.
func (b *bubble) lasting(o *sleigh.Options) (*sleigh.Sleigh, *machine) {
	b.Helper()
	rdb, on := b.client()
	s, err := sleigh.Join(b.ctx, rdb, "farm", o)
	b.must(err)
	b.Cleanup(func() {
		frozen, dead := on.thaw(), on.revive()
		if frozen || dead {
			time.Sleep(settled)
		}
		b.must(s.Stop(b.ctx))
	})
	return s, on
}

// jobs are how many jobs the team has.
func (b *bubble) jobs(s *sleigh.Sleigh) int {
	b.Helper()
	st, err := s.Status(b.ctx)
	b.must(err)
	return len(st.Jobs)
}

// TestS13CancelAfterLong cancels the job of a master that died in so long a time that nobody remembers its client, and no
// earlier.
func TestS13CancelAfterLong(t *testing.T) {
	const after, lease = 11 * time.Minute, 30 * s // after 10 min it is forgotten
	inBubble(t, 1, func(b *bubble) {
		o := &sleigh.Options{Lease: lease}
		old, on := b.lasting(o)
		watcher, _ := b.lasting(o)
		_, err := square.Submit(b.ctx, old, upTo(10), &sleigh.JobOptions{Name: "long", CancelAfter: after})
		b.must(err)
		on.die()
		synctest.Wait()
		died := b.now()
		b.until(died + after - 2*s)
		if b.jobs(watcher) != 1 {
			t.Errorf("it is not there after %v", b.now()-died)
		}
		b.until(died + after + 2*lease)
		if b.jobs(watcher) != 0 {
			t.Errorf("it is there after %v", b.now()-died)
		}
	})
}

// TestS13CancelAfterSlow has a master stop that cannot say what it has used, since a callback takes so long: its job is
// there for CancelAfter, too.
func TestS13CancelAfterSlow(t *testing.T) {
	const after, lease = time.Minute, 10 * s
	inBubble(t, 1, func(b *bubble) {
		old, _ := b.lasting(&sleigh.Options{Launch: sleigh.InProcess(1)})
		watcher, _ := b.lasting(nil)
		used, done := make(chan struct{}, 10), make(chan struct{})
		go func() {
			defer close(done)
			_ = square.Accumulate(b.ctx, old, upTo(10), &sleigh.JobOptions{Name: "slow", CancelAfter: after}, func(int, int) error {
				used <- struct{}{}
				time.Sleep(8 * s)
				return nil
			})
		}()
		<-used
		b.must(old.Stop(b.ctx))
		stopped := b.now()
		<-done
		b.until(stopped + after - 2*s)
		if b.jobs(watcher) != 1 {
			t.Errorf("it is not there after %v", b.now()-stopped)
		}
		b.until(stopped + after + 2*lease)
		if b.jobs(watcher) != 0 {
			t.Errorf("it is there after %v", b.now()-stopped)
		}
	})
}
