package redisx

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	retryFor     = time.Minute // a failover takes seconds to tens of seconds
	firstBackoff = 10 * time.Millisecond
	lastBackoff  = time.Second
)

// Run runs a script and returns its reply: nil, an int64, a string, or a []any of these. It blocks for a round trip, and
// no longer than ctx lasts.
//
// After a broken connection, a failover or a moved slot it tries again, with pauses of up to a second, until
// Options.Retry is over. In a cluster the first of keys says which node does it.
//
// An error reply of Redis comes as a redis.Error. An *UnknownError says that the script may have been done: ctx ended or
// the client was closed while it was on its way, or the time for trying was over after it had been. With any other error
// it has certainly not been done; if ctx has ended, that is ctx.Err() itself. What args refer to must not change
// afterwards: a call that nobody waits for any more may still be on its way.
func (c *Client) Run(ctx context.Context, s *Script, keys []string, args ...any) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := c.do(ctx, s, keys, args)
	if r.err == nil {
		return r.reply, nil
	}
	t := try{client: c, script: s, keys: keys, args: args}
	return t.again(ctx, r)
}

// do tries it once.
func (c *Client) do(ctx context.Context, s *Script, keys []string, args []any) result {
	return c.deliver(ctx, &call{script: s, keys: keys, args: args}, keys)
}

// deliver brings a call to the server that has the first of the keys.
func (c *Client) deliver(ctx context.Context, call *call, keys []string) result {
	if c.cluster == nil {
		return c.single.do(ctx, call)
	}
	key := ""
	if len(keys) > 0 {
		key = keys[0]
	}
	return c.cluster.do(ctx, call, key)
}

// try is a call that has failed and may be sent again.
type try struct {
	client   *Client
	script   *Script
	keys     []string
	args     []any
	unsure   bool // one of its tries may have been done
	deadline time.Time
}

func (t *try) again(ctx context.Context, r result) (any, error) {
	c := t.client
	t.deadline = time.Now().Add(c.retry)
	for backoff := firstBackoff; ; backoff = min(2*backoff, lastBackoff) {
		fate := fateOf(r.err)
		t.unsure = t.unsure || r.sent && fate == unknown
		left := time.Until(t.deadline)
		switch {
		case ctx.Err() != nil && errors.Is(r.err, ctx.Err()):
			return nil, t.ended(ctx)
		case c.isClosed():
			return nil, t.closed()
		case fate == answered:
			return nil, t.refused(r.err)
		case left <= 0:
			return nil, t.late(c.clean(r.err))
		}
		c.retries.Add(1)
		c.log.Warn("redis call failed, trying again", "script", t.script.name, "in", backoff, "error", c.clean(r.err))
		select {
		case <-time.After(min(backoff/2+rand.N(backoff), left)):
		case <-ctx.Done():
			return nil, t.ended(ctx)
		case <-c.closing:
			return nil, t.closed()
		}
		if r = c.do(ctx, t.script, t.keys, t.args); r.err == nil {
			return r.reply, nil
		}
	}
}

// refused gives the error reply of Redis, which is the truth about earlier tries too if it comes from the script.
func (t *try) refused(err error) error {
	if isRedirect(err) {
		return fmt.Errorf("%w: %s is a node of a cluster, and %q belongs to another one: use redis+cluster:// instead of redis:// (%w)",
			ErrURL, t.client.label, t.script.name, err)
	}
	if text := strings.ToUpper(err.Error()); strings.Contains(text, "AUTH") || strings.Contains(text, "HELLO") {
		err = t.client.clean(err) // it may repeat what a new connection began with
	}
	before := slices.ContainsFunc([]string{"OOM ", "MISCONF ", "NOPERM ", "NOAUTH ", "WRONGPASS "}, func(p string) bool {
		return redis.HasErrorPrefix(err, p)
	})
	if t.unsure && before {
		err = fmt.Errorf("the connection broke while it was on its way, and then: %w", err)
		return &UnknownError{Script: t.script.name, Err: err}
	}
	return err
}

func (t *try) ended(ctx context.Context) error {
	if !t.unsure {
		return ctx.Err()
	}
	return &UnknownError{Script: t.script.name, Err: fmt.Errorf("its context ended while it was on its way: %w", ctx.Err())}
}

func (t *try) closed() error {
	if !t.unsure {
		return fmt.Errorf("redisx: %q has not been done: %w", t.script.name, redis.ErrClosed)
	}
	err := fmt.Errorf("the client was closed while it was on its way: %w", redis.ErrClosed)
	return &UnknownError{Script: t.script.name, Err: err}
}

func (t *try) late(err error) error {
	err = fmt.Errorf("no success in %v of trying, at last: %w", t.client.retry, err)
	if !t.unsure {
		return fmt.Errorf("redisx: %q has certainly not been done: %w", t.script.name, err)
	}
	return &UnknownError{Script: t.script.name, Err: err}
}

// fate is what is known of a call that failed.
type fate int

const (
	answered fate = iota // Redis refused it, and would again
	notDone              // it certainly did nothing; it can be sent again
	unknown              // it may have been done
)

func fateOf(err error) fate {
	if redisErr, ok := err.(redis.Error); ok { //nolint:errorlint // A failed search for a sentinel wraps redis.Nil, too.
		for _, passing := range []string{
			"LOADING ", "READONLY ", "CLUSTERDOWN ", "TRYAGAIN ", "MASTERDOWN ", "NOREPLICAS ", "BUSY ",
			"ERR max number of clients",
		} {
			if strings.HasPrefix(redisErr.Error(), passing) {
				return notDone
			}
		}
		return answered
	}
	_, noConn := errors.AsType[*dialError](err)
	if noConn || errors.Is(err, redis.ErrPoolTimeout) || errors.Is(err, redis.ErrClosed) {
		return notDone
	}
	return unknown
}
