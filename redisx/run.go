package redisx

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
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
// An error reply of Redis comes as a redis.Error. An *UnknownError says that the script may have been done: ctx ended
// while it was on its way, or the time for trying was over after it had been. With any other error it has certainly not
// been done; ctx.Err() comes as it is then. What args refer to must not change afterwards even then: a call that nobody waits for may still be on its way.
func (c *Client) Run(ctx context.Context, s *Script, keys []string, args ...any) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	reply, sent, err := c.batch.do(ctx, newCall(s, keys, args))
	if err == nil || err == redis.Nil { //nolint:errorlint // A failed dial by a sentinel may wrap redis.Nil.
		return reply, nil
	}
	t := try{client: c, script: s, keys: keys, args: args}
	return t.again(ctx, sent, err)
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

func (t *try) again(ctx context.Context, sent bool, err error) (any, error) {
	c := t.client
	t.deadline = time.Now().Add(c.retry)
	for backoff := firstBackoff; ; backoff = min(2*backoff, lastBackoff) {
		fate := fateOf(err)
		t.unsure = t.unsure || sent && fate == unknown
		left := time.Until(t.deadline)
		switch {
		case ctx.Err() != nil && errors.Is(err, ctx.Err()):
			return nil, t.ended(ctx)
		case c.isClosed():
			return nil, t.closed()
		case fate == answered:
			return nil, err
		case left <= 0:
			return nil, t.late(err)
		}
		c.log.Warn("redis call failed, trying again", "script", t.script.name, "in", backoff, "error", err)
		select {
		case <-time.After(min(backoff/2+rand.N(backoff), left)):
		case <-ctx.Done():
			return nil, t.ended(ctx)
		case <-c.closing:
			return nil, t.closed()
		}
		var reply any
		reply, sent, err = c.batch.do(ctx, newCall(t.script, t.keys, t.args))
		if err == nil || err == redis.Nil { //nolint:errorlint // As above.
			return reply, nil
		}
	}
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
	return &UnknownError{Script: t.script.name, Err: fmt.Errorf("the client was closed while it was on its way: %w", redis.ErrClosed)}
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
	if redisErr, ok := errors.AsType[redis.Error](err); ok {
		for _, passing := range []string{
			"LOADING ", "READONLY ", "CLUSTERDOWN ", "TRYAGAIN ", "MASTERDOWN ", "NOREPLICAS ", "BUSY ", "ERR max number of clients",
		} {
			if strings.HasPrefix(redisErr.Error(), passing) {
				return notDone
			}
		}
		return answered
	}
	if netErr, ok := errors.AsType[*net.OpError](err); ok && netErr.Op == "dial" || errors.Is(err, redis.ErrPoolTimeout) {
		return notDone
	}
	return unknown
}
