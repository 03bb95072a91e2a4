package redisx

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Calls of many goroutines travel together: while the pipelines of a node are under way, what is called meanwhile waits
// for the next one.
const (
	maxSending = 2   // pipelines under way at a time to one node, and so connections
	maxBatch   = 256 // calls in one pipeline
)

// batcher brings calls to one node.
type batcher struct {
	rdb interface {
		Process(ctx context.Context, cmd redis.Cmder) error
		Pipeline() redis.Pipeliner
	}

	mu      sync.Mutex
	pending []*call
	work    *sync.Cond // pending has grown, or closed is set
	idle    int        // senders that wait for work and have not been woken
	closed  bool
	senders int
	running sync.WaitGroup
}

// call is one script on its way. Once it is no longer pending, it belongs to a sender until done is closed.
type call struct {
	script *Script
	cmd    *redis.Cmd
	sent   bool
	done   chan struct{}
}

func newCall(s *Script, keys []string, args []any) *call {
	return &call{script: s, cmd: command("evalsha", s.sha, keys, args), done: make(chan struct{})}
}

func newBatcher(rdb redis.UniversalClient) *batcher {
	b := &batcher{rdb: rdb}
	b.work = sync.NewCond(&b.mu)
	return b
}

// do runs a script and waits for its reply, or until ctx ends. Whether it has been sent is told in any case.
func (b *batcher) do(ctx context.Context, c *call) (reply any, sent bool, err error) {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil, false, redis.ErrClosed
	}
	b.pending = append(b.pending, c)
	wake := b.idle > 0
	switch {
	case wake:
		b.idle--
	case b.senders < maxSending:
		b.senders++
		b.running.Go(b.send)
	}
	b.mu.Unlock()
	if wake {
		b.work.Signal()
	}

	select {
	case <-c.done:
	case <-ctx.Done():
		if b.takeBack(c) {
			return nil, false, ctx.Err()
		}
		select {
		case <-c.done: // just in time
		default:
			return nil, true, ctx.Err()
		}
	}
	reply, err = c.cmd.Result()
	return reply, c.sent, err
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

// close refuses what is still pending, and what comes. What is under way goes on until its connection is closed.
func (b *batcher) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, c := range b.pending {
		c.cmd.SetErr(redis.ErrClosed)
		close(c.done)
	}
	b.pending = nil
	b.work.Broadcast()
}

// send brings one batch after the other to Redis, until close.
func (b *batcher) send() {
	var batch []*call
	for {
		if batch = b.next(batch[:0]); len(batch) == 0 {
			return
		}
		b.run(batch)
		for _, c := range batch {
			close(c.done)
		}
		clear(batch) // values may be large
	}
}

func (b *batcher) next(batch []*call) []*call {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.pending) == 0 {
		if b.closed {
			return batch
		}
		b.idle++
		b.work.Wait()
	}
	n := min(len(b.pending), maxBatch)
	batch = append(batch, b.pending[:n]...)
	b.pending = slices.Delete(b.pending, 0, n)
	return batch
}

// run sends the calls of one batch and loads the scripts that Redis does not know (after a restart, a failover or
// SCRIPT FLUSH). Calls that Redis did know have run then, and are not sent again.
func (b *batcher) run(batch []*call) {
	b.exec(batch)
	var missing []*call
	for _, c := range batch {
		if err := c.cmd.Err(); err != nil && strings.HasPrefix(err.Error(), "NOSCRIPT") {
			sent := c.cmd.Args()
			c.cmd = whole(c.script, sent)
			missing = append(missing, c)
		}
	}
	if len(missing) > 0 {
		b.exec(missing)
	}
}

// exec sends the calls in one round trip.
func (b *batcher) exec(batch []*call) {
	ctx := context.Background() // a caller may have left, but others wait for the same pipeline
	if len(batch) == 1 {
		batch[0].sent = true
		_ = b.rdb.Process(ctx, batch[0].cmd) // the command keeps its error
		return
	}
	pipe := b.rdb.Pipeline()
	for _, c := range batch {
		c.sent = true
		_ = pipe.Process(ctx, c.cmd)
	}
	_, _ = pipe.Exec(ctx) // each command keeps its error
}

func command(verb, script string, keys []string, args []any) *redis.Cmd {
	all := make([]any, 0, 3+len(keys)+len(args))
	all = append(all, verb, script, len(keys))
	for _, key := range keys {
		all = append(all, key)
	}
	cmd := redis.NewCmd(context.Background(), append(all, args...)...)
	cmd.SetFirstKeyPos(3)
	return cmd
}

// whole is the EVAL with the source for an EVALSHA.
func whole(s *Script, evalsha []any) *redis.Cmd {
	args := slices.Clone(evalsha)
	args[0], args[1] = "eval", s.source
	cmd := redis.NewCmd(context.Background(), args...)
	cmd.SetFirstKeyPos(3)
	return cmd
}
