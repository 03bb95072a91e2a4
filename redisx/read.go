package redisx

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// RunAfter runs a script right after a plain command that only reads, in one round trip and on one connection: so the script
// can say whether what was read is still true. It tries once, and returns the error of either.
func (c *Client) RunAfter(ctx context.Context, read redis.Cmder, s *Script, keys []string, args ...any) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := c.deliver(ctx, &call{script: s, keys: keys, args: args, before: read}, keys)
	if r.err != nil {
		return nil, r.err
	}
	return r.reply, read.Err()
}

// Text is an argument of a script by a pointer, which takes no memory beside it, as a []byte does.
type Text []byte

// MarshalBinary is how go-redis takes it.
func (t *Text) MarshalBinary() ([]byte, error) { return *t, nil }
