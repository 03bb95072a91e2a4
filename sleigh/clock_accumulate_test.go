package sleigh_test

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestClockS10SlowAccumulatorFails has use fail for the last result, long after the job has found that all elements are done.
func TestClockS10SlowAccumulatorFails(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		b.worker(0)
		full := errors.New("the disk is full")
		c := b.begin(func(ctx context.Context) ([]played, error) {
			return nil, held.Accumulate(ctx, b.sleigh, upTo(1), nil, func(int, played) error {
				time.Sleep(5 * s)
				return full
			})
		})
		b.run(0).end <- nil
		b.until(5 * s)
		c.ended(5 * s)
		if !errors.Is(c.err, full) {
			b.Errorf("it ended with %v", c.err)
		}
	})
}
