package sleigh_test

import (
	"context"
	"errors"
	"testing"
)

// TestClockS3GivenUp has EachWorker wait for a rank in vain: a worker that joins later does not run what nobody waits for.
func TestClockS3GivenUp(t *testing.T) {
	inBubble(t, 2, func(b *bubble) {
		b.worker(0)
		c := b.begin(func(ctx context.Context) ([]played, error) { return held.EachWorker(ctx, b.sleigh, 0) })
		b.run(0).tell(nil)
		b.until(s)
		c.waits()
		c.cancel()
		<-c.done
		if !errors.Is(c.err, context.Canceled) {
			b.Errorf("it ended with %v", c.err)
		}
		b.worker(1)
		b.until(2 * s)
		b.wantTimes("functions began", b.begins(), 0)
	})
}
