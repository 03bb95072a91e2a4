package redisx

import (
	"context"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// call is one script on its way.
type call struct {
	script *Script
	cmd    *redis.Cmd
	before redis.Cmder // what goes right before it; nil most often
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
			if c.before != nil {
				c.before.SetErr(nil)
			}
			missing = append(missing, c)
		}
	}
	if len(missing) > 0 {
		roundTrip(ctx, rdb, missing)
	}
}

// roundTrip sends the calls in one round trip.
func roundTrip(ctx context.Context, rdb *redis.Client, batch []*call) {
	if len(batch) == 1 && batch[0].before == nil {
		batch[0].sent = true
		_ = rdb.Process(ctx, batch[0].cmd) // the command keeps its error
		return
	}
	pipe := rdb.Pipeline()
	for _, c := range batch {
		c.sent = true
		if c.before != nil {
			_ = pipe.Process(ctx, c.before)
		}
		_ = pipe.Process(ctx, c.cmd)
	}
	_, _ = pipe.Exec(ctx) // each command keeps its error
}
