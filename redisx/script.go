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

// Script is a Lua script that Redis runs as one step.
type Script struct {
	name       string
	source     string
	sha        string
	repeatable bool
}

// NewScript makes a script of the given sources, put one after the other.
// Its name is used in errors. A repeatable script may run twice with the same arguments and still has acted once, so
// that it is sent again after a connection broke.
func NewScript(name string, repeatable bool, sources ...string) *Script {
	source := strings.Join(sources, "\n")
	return &Script{name: name, source: source, sha: redis.NewScript(source).Hash(), repeatable: repeatable}
}

// UnknownError says that a connection broke while a script that must not run twice was on its way: it ran once or not
// at all.
type UnknownError struct {
	Script string
	Err    error
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("redisx: the connection broke during %q, and it is not known whether Redis did it: %v", e.Script, e.Err)
}

// Unwrap gives the error of the connection.
func (e *UnknownError) Unwrap() error { return e.Err }

const (
	retryFor     = time.Minute // a failover takes seconds to tens of seconds
	firstBackoff = 10 * time.Millisecond
	lastBackoff  = time.Second
)

// Run runs a script and returns its reply: nil, an int64, a string, or a []any of these.
// It blocks for a round trip. After a broken connection it tries again for up to a minute where that cannot do a thing
// twice, and returns an *UnknownError where it could. An error reply of Redis comes as a redis.Error.
func (c *Client) Run(ctx context.Context, s *Script, keys []string, args ...any) (any, error) {
	var deadline time.Time
	for backoff := firstBackoff; ; backoff = min(2*backoff, lastBackoff) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		reply, err := c.batch.do(s, keys, args)
		if err == nil || errors.Is(err, redis.Nil) {
			return reply, nil
		}
		if deadline.IsZero() {
			deadline = time.Now().Add(retryFor)
		}
		switch fate := fateOf(err); {
		case fate == answered, errors.Is(err, redis.ErrClosed):
			return nil, err
		case fate == unknown && !s.repeatable:
			return nil, &UnknownError{Script: s.name, Err: err}
		case time.Now().After(deadline):
			return nil, fmt.Errorf("redisx: %q failed for %v: %w", s.name, retryFor, err)
		}
		c.log.Warn("redis call failed, trying again", "script", s.name, "in", backoff, "error", err)
		select {
		case <-time.After(backoff/2 + rand.N(backoff)):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
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
			"LOADING ", "READONLY ", "CLUSTERDOWN ", "TRYAGAIN ", "MASTERDOWN ", "BUSY ", "ERR max number of clients",
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
