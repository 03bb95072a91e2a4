package redisx

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// call is one script on its way.
type call struct {
	script *Script
	keys   []string
	args   []any
	whole  bool        // with the source of the script instead of its hash
	before redis.Cmder // what goes right before it; nil most often
	sent   bool
	done   chan struct{} // nil if its own goroutine sends it

	reply any // nil, an int64, a string, or a []any of these
	err   error
}

// result is what is known of a call: it may have been done only if it was sent.
type result struct {
	reply any
	err   error
	sent  bool
}

func (c *call) result() result { return result{reply: c.reply, err: c.err, sent: c.sent} }

// command is the call as go-redis wants it.
func (c *call) command() *redis.Cmd {
	all := make([]any, 0, 3+len(c.keys)+len(c.args))
	if c.whole {
		all = append(all, "eval", c.script.source)
	} else {
		all = append(all, "evalsha", c.script.sha)
	}
	all = append(all, len(c.keys))
	for _, key := range c.keys {
		all = append(all, key)
	}
	cmd := redis.NewCmd(context.Background(), append(all, c.args...)...)
	cmd.SetFirstKeyPos(3)
	return cmd
}

// take notes what a command of the call has brought.
func (c *call) take(cmd *redis.Cmd) {
	c.reply, c.err = cmd.Result()
	if c.err == redis.Nil { //nolint:errorlint // A failed search for a sentinel wraps redis.Nil, too.
		c.err = nil
	}
}

// isUnknownScript says whether Redis does not know the script.
func (c *call) isUnknownScript() bool {
	return c.err != nil && strings.HasPrefix(c.err.Error(), "NOSCRIPT")
}

// process sends calls by go-redis, in one round trip.
func process(ctx context.Context, rdb *redis.Client, batch []*call) {
	commands := make([]*redis.Cmd, len(batch))
	for i, c := range batch {
		c.sent = true
		commands[i] = c.command()
	}
	if len(batch) == 1 && batch[0].before == nil {
		_ = rdb.Process(ctx, commands[0]) // the command keeps its error
	} else {
		pipe := rdb.Pipeline()
		for i, cmd := range commands {
			if before := batch[i].before; before != nil {
				before.SetErr(nil) // of the first time, if this is the second
				_ = pipe.Process(ctx, before)
			}
			_ = pipe.Process(ctx, cmd)
		}
		_, _ = pipe.Exec(ctx) // each command keeps its error
	}
	for i, c := range batch {
		c.take(commands[i])
	}
}
