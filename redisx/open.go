package redisx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

// Options say how Open goes about it. Nil stands for all defaults.
type Options struct {
	// Logger is told of broken connections and what is done about them. Defaults to silence.
	Logger *slog.Logger

	// Retry is for how long Client.Run goes on trying after a call failed that way that it may succeed later: a broken
	// connection, a failover. Negative stands for not at all. ?retry= in the address goes before it. Defaults to 60 s.
	Retry time.Duration
}

func (o *Options) withDefaults() Options {
	var filled Options
	if o != nil {
		filled = *o
	}
	if filled.Logger == nil {
		filled.Logger = slog.New(slog.DiscardHandler)
	}
	if filled.Retry == 0 {
		filled.Retry = retryFor
	}
	return filled
}

// go-redis writes a line to stderr for each failed dial, through one logger for all its clients. Errors come back to
// the caller anyway. A program that wants the lines calls redis.SetLogger in its main, which comes later.
func init() { logging.Disable() }

const (
	loadingFor     = 5 * time.Second // that Open waits for a Redis that reads its data from disk
	loadingBackoff = 20 * time.Millisecond
	loadingPause   = 500 * time.Millisecond // at most, between two tries
)

// Open connects to the Redis at url and pings it. It starts one where url asks for that:
//
//	redis://[[user]:password@]host[:port][/db]   a server, by default localhost:6379, database 0
//	rediss://…                                   the same by TLS
//	unix://[[user]:password@]/path[?db=n]        a server on this machine
//	local://                                     a private redis-server, started for this process
//	mem:// or ""                                 an embedded server in this process, in memory only
//
// Queries as of go-redis' ParseURL work too: ?read_timeout=10s, ?skip_verify=true and others.
//
// It blocks until the server has answered, for some seconds at most and no longer than ctx lasts; ctx is not needed
// afterwards. Its errors are ErrURL, ErrNoServer, ErrAuth and ErrNoRedisServer, or that of a cancelled ctx; none of them
// contains a password. A server that Open has started ends with Close, and with this process at the latest.
func Open(ctx context.Context, url string, opts *Options) (*Client, error) {
	o := opts.withDefaults()
	url = strings.TrimSpace(url)
	switch url {
	case "", "mem://":
		return openEmbedded(ctx, o)
	case "local://":
		return openLocal(ctx, o)
	}
	t, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	return openTarget(ctx, t, nil, o)
}

// openStarted opens a server that has been started for this, and ends it when that fails.
func openStarted(ctx context.Context, label, url string, stop func() error, o Options) (*Client, error) {
	t, err := parseURL(url)
	if err == nil {
		t.label = label
		var c *Client
		if c, err = openTarget(ctx, t, stop, o); err == nil {
			return c, nil
		}
	}
	return nil, errors.Join(err, stop())
}

func openTarget(ctx context.Context, t *target, stop func() error, o Options) (*Client, error) {
	rdb := redis.NewClient(t.options)
	// go-redis does not look at ctx while it reads. Closing the client ends that.
	attached := context.AfterFunc(ctx, func() { _ = rdb.Close() })
	err := ping(ctx, rdb)
	if !attached() && !isLoading(err) {
		err = ctx.Err()
	}
	if err != nil {
		_ = rdb.Close()
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, fmt.Errorf("redisx: connecting to %s: %w", t.label, ctx.Err())
		}
		return nil, explain(err, t)
	}
	return newClient(rdb, t.label, t.url, stop, o), nil
}

// ping waits for a server that is loading, and for nothing else.
func ping(ctx context.Context, rdb *redis.Client) error {
	deadline := time.Now().Add(loadingFor)
	for backoff := loadingBackoff; ; backoff = min(2*backoff, loadingPause) {
		err := rdb.Ping(ctx).Err()
		if !isLoading(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-time.After(backoff):
		case <-ctx.Done():
			return err
		}
	}
}

func isLoading(err error) bool { return redis.HasErrorPrefix(err, "LOADING") }
