package redisx

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Calls of many goroutines travel together: while both connections of a node are busy, what is called meanwhile waits
// for the next pipeline. A goroutine that finds one free sends its call itself, at once, since handing it to another one
// would take a third longer.
const (
	maxSending = 2   // connections to one node, and so pipelines under way at a time
	maxBatch   = 256 // calls in one pipeline

	idleFor = 5 * time.Second // after which a second connection is closed
)

// batcher brings calls to one node.
type batcher struct {
	mu      sync.Mutex
	wires   []*wire
	free    []*wire // only while nothing is pending
	pending []*call
	closed  bool
	running sync.WaitGroup // senders
	reaping *time.Timer    // nil while no connection may become idle
}

// newBatcher makes the way to one server by clients for a connection each.
func newBatcher(client func() *redis.Client) *batcher {
	b := &batcher{}
	for range maxSending {
		b.wires = append(b.wires, newWire(client))
	}
	b.free = slices.Clone(b.wires)
	return b
}

// do runs a script and waits for its reply, or until ctx ends.
func (b *batcher) do(ctx context.Context, c *call) result {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return result{err: redis.ErrClosed}
	}
	w := b.take()
	if w != nil && w.wary == 0 {
		b.mu.Unlock()
		return b.sendAlone(ctx, w, c)
	}
	c.done = make(chan struct{})
	b.pending = append(b.pending, c)
	if w != nil {
		b.running.Go(func() { b.sendPending(w) })
	}
	b.mu.Unlock()

	select {
	case <-c.done:
	case <-ctx.Done():
		if b.takeBack(c) {
			return result{err: ctx.Err()}
		}
		select {
		case <-c.done: // just in time
		default:
			return result{err: ctx.Err(), sent: true}
		}
	}
	return c.result()
}

// sendAlone sends one call from its own goroutine. The end of ctx cuts the wire, which nobody else uses.
func (b *batcher) sendAlone(ctx context.Context, w *wire, c *call) result {
	end := w.begin(ctx)
	w.send(ctx, []*call{c})
	end()
	b.release(w)
	r := c.result()
	if _, replied := r.err.(redis.Error); r.err != nil && !replied && ctx.Err() != nil { //nolint:errorlint // Nothing wraps a reply.
		r.err = ctx.Err()
	}
	return r
}

// take gives a free wire, or nil. b.mu is held.
func (b *batcher) take() *wire {
	if len(b.free) == 0 {
		return nil
	}
	w := b.free[len(b.free)-1]
	b.free = b.free[:len(b.free)-1]
	return w
}

// release gives a wire back, or leaves it to a sender for what has come meanwhile.
func (b *batcher) release(w *wire) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.pending) > 0 {
		b.running.Go(func() { b.sendPending(w) })
	} else {
		b.rest(w)
	}
}

// rest has nothing to do for a wire. The last one to rest is used first, so that another one may be idle. b.mu is held.
func (b *batcher) rest(w *wire) {
	w.rested = time.Now()
	b.free = append(b.free, w)
	if b.reaping == nil && len(b.free) == len(b.wires) && !b.closed {
		b.reaping = time.AfterFunc(idleFor, b.reap)
	}
}

// reap closes the connections that few callers do not need.
func (b *batcher) reap() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reaping = nil
	if b.closed || len(b.free) == 0 {
		return
	}
	for _, w := range b.free[:len(b.free)-1] {
		if time.Since(w.rested) >= idleFor {
			w.hangUp()
		} else if b.reaping == nil {
			b.reaping = time.AfterFunc(idleFor, b.reap)
		}
	}
}

// sendPending sends one batch after the other until nothing is pending.
func (b *batcher) sendPending(w *wire) {
	var batch []*call
	for {
		b.mu.Lock()
		n := min(len(b.pending), maxBatch)
		batch = append(batch[:0], b.pending[:n]...)
		b.pending = slices.Delete(b.pending, 0, n)
		if n == 0 {
			b.rest(w)
		}
		b.mu.Unlock()
		if n == 0 {
			return
		}
		w.send(context.Background(), batch)
		for _, c := range batch {
			close(c.done)
		}
		clear(batch) // values may be large
	}
}

// takeBack removes a call that no sender has taken.
func (b *batcher) takeBack(c *call) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.pending, c)
	if i < 0 {
		return false
	}
	b.pending = slices.Delete(b.pending, i, i+1)
	return true
}

// close refuses what is pending and what comes, breaks off what is under way, and waits for the senders.
func (b *batcher) close() error {
	b.mu.Lock()
	b.closed = true
	for _, c := range b.pending {
		c.err = redis.ErrClosed
		close(c.done)
	}
	b.pending = nil
	if b.reaping != nil {
		b.reaping.Stop()
	}
	b.mu.Unlock()
	var first error
	for _, w := range b.wires {
		if err := w.close(); err != nil && first == nil {
			first = err
		}
	}
	b.running.Wait()
	return first
}
