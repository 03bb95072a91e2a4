package redisx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
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

	// Dial makes the connections, before TLS. Tests have it use net.Pipe. Defaults to net.Dialer's.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// InProcess keeps an embedded server to this process: no socket is there, and Client.URL is an address that cannot be
	// opened. It is needed under testing/synctest. Defaults to false.
	InProcess bool

	// NoNotice keeps an embedded server from writing its line to stderr, where nobody would expect its data to stay. Defaults to
	// false.
	NoNotice bool
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
//	redis://[[user]:password@]host[:port][/db]        a server, by default localhost:6379, database 0
//	unix://[[user]:password@]/path[?db=n]             a server on this machine
//	redis+cluster://[[user]:password@]h1:p1,h2:p2     a cluster, by some of its nodes
//	redis+sentinel://[[user]:password@]h1:p1,h2:p2/master[/db]
//	                                                  the server that these sentinels call master, by default port 26379;
//	                                                  what the sentinels want themselves goes into the query:
//	                                                  ?sentinel_username=…&sentinel_password=…
//	rediss://… rediss+cluster://… rediss+sentinel://… the same by TLS, sentinels included
//	local://                                          a private redis-server, started for this process
//	mem:// or ""                                      an embedded server in this process, in memory only
//
// With TLS, ?ca=FILE names the certificates to trust (by default those of the system, or of SSL_CERT_FILE),
// ?cert=FILE&key=FILE the client's own, ?server_name=NAME another name than that in the address, and ?skip_verify=true
// trusts anybody. ?retry=30s stands for Options.Retry. Queries as of go-redis' ParseURL work too, ?read_timeout=10s and
// others, but for those of its retries and of the protocol, which are refused. Special characters are written as % and two
// hex digits.
//
// It blocks for 5 s a try to connect, by default, and no longer than ctx lasts; ctx is not needed
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
	c := t.connect(o)
	c.stop = stop
	// go-redis does not look at ctx while it reads. Closing the client ends that.
	attached := context.AfterFunc(ctx, func() { _ = c.disconnect() })
	err := c.ping(ctx)
	if !attached() && !isLoading(err) {
		err = ctx.Err()
	}
	if err != nil {
		_ = c.disconnect()
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, fmt.Errorf("redisx: connecting to %s: %w", t.label, ctx.Err())
		}
		return nil, explain(err, t)
	}
	return c, nil
}

// ping waits for a server that is loading, and for nothing else.
func (c *Client) ping(ctx context.Context) error {
	deadline := time.Now().Add(loadingFor)
	for backoff := loadingBackoff; ; backoff = min(2*backoff, loadingPause) {
		err := c.greet(ctx)
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

// greet asks a server whether it is there and of which kind, and a cluster for its slots.
func (c *Client) greet(ctx context.Context) error {
	if c.cluster != nil {
		_, err := c.cluster.rdb.MasterForKey(ctx, "")
		return err
	}
	rdb := c.single.wires[0].rdb
	if err := rdb.Ping(ctx).Err(); err != nil {
		return err
	}
	if _, ok := c.rdb.(*redis.Client); ok {
		return wrongKind(rdb.Do(ctx, "hello").Slice())
	}
	return nil
}

// wrongKind finds the kind of a server in its answer to HELLO. One that does not want to say it is taken as it comes.
func wrongKind(hello []any, err error) error {
	if err != nil {
		return nil //nolint:nilerr // Older ones do not know HELLO, and a user may not be allowed it.
	}
	for i := 0; i+1 < len(hello); i += 2 {
		if hello[i] == "mode" && (hello[i+1] == "cluster" || hello[i+1] == "sentinel") {
			return kindError(hello[i+1].(string))
		}
	}
	return nil
}

// kindError says that a server is none that stands alone.
type kindError string

func (e kindError) Error() string { return "it is a " + string(e) + " node" }

func isLoading(err error) bool { return redis.HasErrorPrefix(err, "LOADING") }
