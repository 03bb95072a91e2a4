package redisx

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// Client is an open connection to one Redis, or to one cluster. It may be used by many goroutines at a time. However many
// they are, calls share one connection to a server, or two while much is under way, and all subscriptions have one more.
type Client struct {
	rdb   redis.UniversalClient
	label string            // what a person may see of the address
	url   string            // the whole address, password included: for worker processes only
	stop  func() error      // ends a server that Open started; nil for one that was already there
	clean func(error) error // takes secrets out
	log   *slog.Logger
	retry time.Duration

	single    *batcher // nil for a cluster
	cluster   *cluster // nil for a single server
	listening *hub
	closing   chan struct{}
	retries   atomic.Uint64

	mu      sync.Mutex
	closers map[*func()]struct{}
	closed  bool
}

// String names the server without its password: "embedded", "local" or an address such as "redis://10.0.0.7:6379/0".
func (c *Client) String() string { return c.label }

// URL is the whole address, with its password, for handing to another process by a pipe or its environment. Never print it.
func (c *Client) URL() string { return c.url }

// Retries is how many times this client has sent a call again, so far.
func (c *Client) Retries() uint64 { return c.retries.Load() }

// Redis is the go-redis client below, for plain commands: a *redis.Client, or a *redis.ClusterClient in a cluster. Its own
// retries are off, but for those of a cluster, which may repeat a command that was done.
func (c *Client) Redis() redis.UniversalClient { return c.rdb }

// Cluster says whether the server is a cluster. All keys of a script must lie in one slot then, and Listen gets what is
// published by SPUBLISH.
func (c *Client) Cluster() bool { return c.cluster != nil }

// AtClose has f called when the client closes, while it still works, or at once if it has closed already. The function that
// it returns takes that back.
func (c *Client) AtClose(f func()) (forget func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		go f()
		return func() {}
	}
	c.closers[&f] = struct{}{}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.closers, &f)
	}
}

// Close ends the client: first what was registered with AtClose, then its connections, then the server if Open started
// it. What is under way is broken off. It waits until nothing of the client runs any more. A second call does nothing.
func (c *Client) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	var closers []func()
	for f := range c.closers {
		closers = append(closers, *f)
	}
	c.mu.Unlock()

	var ending sync.WaitGroup
	for _, f := range closers { // at the same time, since each may wait some seconds for a Redis that is silent
		ending.Go(f)
	}
	ending.Wait()
	close(c.closing)
	c.listening.shut()
	err := c.disconnect()
	if c.stop != nil {
		if stopErr := c.stop(); err == nil {
			err = stopErr
		}
	}
	return err
}

// disconnect breaks off what is under way.
func (c *Client) disconnect() error {
	if c.cluster != nil {
		return c.cluster.close()
	}
	return errors.Join(c.rdb.Close(), c.single.close())
}

func (c *Client) isClosed() bool {
	select {
	case <-c.closing:
		return true
	default:
		return false
	}
}
