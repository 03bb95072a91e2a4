package redisx

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Calls of many goroutines travel together: while both connections of a node are busy, what is called meanwhile waits
// for the next pipeline. A goroutine that finds one free sends its call itself, at once, since handing it to another one
// would take a third longer.
const (
	maxSending = 2   // connections to one node, and so pipelines under way at a time
	maxBatch   = 256 // calls in one pipeline
)

// batcher brings calls to one node.
type batcher struct {
	mu      sync.Mutex
	wires   []*wire
	free    []*wire // only while nothing is pending
	pending []*call
	closed  bool
	running sync.WaitGroup // senders
}

// newBatcher makes the way to one server by clients for a connection each.
func newBatcher(client func() *redis.Client) *batcher {
	b := &batcher{}
	for range maxSending {
		b.wires = append(b.wires, newWire(client()))
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
	if n := len(b.free); n > 0 {
		w := b.free[n-1]
		b.free = b.free[:n-1]
		b.mu.Unlock()
		return b.sendAlone(ctx, w, c)
	}
	c.done = make(chan struct{})
	b.pending = append(b.pending, c)
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
	send(ctx, w.rdb, []*call{c})
	end()
	b.release(w)
	r := c.result()
	if _, replied := r.err.(redis.Error); r.err != nil && !replied && ctx.Err() != nil { //nolint:errorlint // Nothing wraps a reply.
		r.err = ctx.Err()
	}
	return r
}

// release gives a wire back, or leaves it to a sender for what has come meanwhile.
func (b *batcher) release(w *wire) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.pending) > 0 {
		b.running.Go(func() { b.sendPending(w) })
	} else {
		b.free = append(b.free, w)
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
			b.free = append(b.free, w)
		}
		b.mu.Unlock()
		if n == 0 {
			return
		}
		send(context.Background(), w.rdb, batch) // a caller may leave, but others wait for the same pipeline
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
		c.cmd.SetErr(redis.ErrClosed)
		close(c.done)
	}
	b.pending = nil
	b.mu.Unlock()
	var first error
	for _, w := range b.wires {
		if err := w.rdb.Close(); err != nil && first == nil {
			first = err
		}
	}
	b.running.Wait()
	return first
}

// call is one script on its way.
type call struct {
	script *Script
	cmd    *redis.Cmd
	sent   bool
	done   chan struct{} // nil if its own goroutine sends it
}

// result is what is known of a call: it may have been done only if it was sent.
type result struct {
	reply any
	err   error
	sent  bool
}

func newCall(s *Script, keys []string, args []any) *call {
	all := make([]any, 0, 3+len(keys)+len(args))
	all = append(all, "evalsha", s.sha, len(keys))
	for _, key := range keys {
		all = append(all, key)
	}
	return &call{script: s, cmd: command(append(all, args...))}
}

func command(args []any) *redis.Cmd {
	cmd := redis.NewCmd(context.Background(), args...)
	cmd.SetFirstKeyPos(3)
	return cmd
}

// whole makes it an EVAL with the source of the script.
func (c *call) whole() {
	args := slices.Clone(c.cmd.Args())
	args[0], args[1] = "eval", c.script.source
	c.cmd = command(args)
}

func (c *call) result() result {
	reply, err := c.cmd.Result()
	if err == redis.Nil { //nolint:errorlint // A failed search for a sentinel wraps redis.Nil, too.
		err = nil
	}
	return result{reply: reply, err: err, sent: c.sent}
}

// send runs the calls and loads the scripts that Redis does not know (after a restart, a failover or SCRIPT FLUSH). Calls
// that Redis did know have run then, and are not sent again.
func send(ctx context.Context, rdb *redis.Client, batch []*call) {
	roundTrip(ctx, rdb, batch)
	var missing []*call
	for _, c := range batch {
		if err := c.cmd.Err(); err != nil && strings.HasPrefix(err.Error(), "NOSCRIPT") {
			c.whole()
			missing = append(missing, c)
		}
	}
	if len(missing) > 0 {
		roundTrip(ctx, rdb, missing)
	}
}

// roundTrip sends the calls in one round trip.
func roundTrip(ctx context.Context, rdb *redis.Client, batch []*call) {
	if len(batch) == 1 {
		batch[0].sent = true
		_ = rdb.Process(ctx, batch[0].cmd) // the command keeps its error
		return
	}
	pipe := rdb.Pipeline()
	for _, c := range batch {
		c.sent = true
		_ = pipe.Process(ctx, c.cmd)
	}
	_, _ = pipe.Exec(ctx) // each command keeps its error
}
