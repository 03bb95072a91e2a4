package redisx

import (
	"context"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Calls of many goroutines travel together: while one pipeline is under way, what is called meanwhile waits for the
// next. A goroutine that finds nothing under way sends its call itself, at once.
const (
	maxSending = 2   // pipelines under way at a time, and so connections
	maxBatch   = 256 // calls in one pipeline
)

type batcher struct {
	rdb *redis.Client

	mu      sync.Mutex
	pending []*call
	sending int
}

type call struct {
	script *Script
	keys   []string
	args   []any
	cmd    *redis.Cmd
	done   chan struct{}
}

// do runs one script and waits for its reply.
func (b *batcher) do(s *Script, keys []string, args []any) (any, error) {
	c := &call{script: s, keys: keys, args: args, done: make(chan struct{})}
	b.mu.Lock()
	b.pending = append(b.pending, c)
	lead := b.sending < maxSending
	if lead {
		b.sending++
	}
	b.mu.Unlock()
	if lead {
		b.lead()
	}
	<-c.done
	return c.cmd.Result()
}

// lead sends one batch, and leaves what has come meanwhile to a goroutine of its own.
func (b *batcher) lead() {
	b.mu.Lock()
	n := min(len(b.pending), maxBatch)
	batch := b.pending[:n:n]
	b.pending = b.pending[n:]
	b.mu.Unlock()

	b.send(batch)
	for _, c := range batch {
		close(c.done)
	}

	b.mu.Lock()
	more := len(b.pending) > 0
	if !more {
		b.sending--
	}
	b.mu.Unlock()
	if more {
		go b.lead()
	}
}

// send runs the calls of one batch and loads the scripts that Redis does not know (after a restart, a failover or
// SCRIPT FLUSH). Calls that Redis did know have run then, and are not sent again.
func (b *batcher) send(batch []*call) {
	if len(batch) == 0 {
		return
	}
	b.exec(batch, false)

	var missing []*call
	for _, c := range batch {
		if err := c.cmd.Err(); err != nil && strings.HasPrefix(err.Error(), "NOSCRIPT") {
			missing = append(missing, c)
		}
	}
	if len(missing) == 0 {
		return
	}
	b.exec(missing, true)
}

// exec sends the calls in one round trip, with the sources of their scripts or only the names.
func (b *batcher) exec(batch []*call, whole bool) {
	ctx := context.Background() // what is on its way is waited for, so that its outcome is known
	for _, c := range batch {
		if whole {
			c.cmd = command("eval", c.script.source, c)
		} else {
			c.cmd = command("evalsha", c.script.sha, c)
		}
	}
	if len(batch) == 1 {
		_ = b.rdb.Process(ctx, batch[0].cmd) // the command keeps its error
		return
	}
	pipe := b.rdb.Pipeline()
	for _, c := range batch {
		_ = pipe.Process(ctx, c.cmd)
	}
	_, _ = pipe.Exec(ctx) // each command keeps its error
}

func command(verb, script string, c *call) *redis.Cmd {
	args := make([]any, 0, 3+len(c.keys)+len(c.args))
	args = append(args, verb, script, len(c.keys))
	for _, key := range c.keys {
		args = append(args, key)
	}
	cmd := redis.NewCmd(context.Background(), append(args, c.args...)...)
	cmd.SetFirstKeyPos(3)
	return cmd
}
