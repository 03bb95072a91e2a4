package redisx

import (
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Client is an open connection to one Redis. It may be used by many goroutines at a time. However many they are, calls
// share two connections, and all subscriptions together have one more.
type Client struct {
	rdb   redis.UniversalClient
	label string       // what a person may see of the address
	url   string       // the whole address, password included: for worker processes only
	stop  func() error // ends a server that Open started; nil for one that was already there
	log   *slog.Logger
	retry time.Duration

	batch   *batcher
	channel subscriber
	closing chan struct{}

	mu      sync.Mutex
	closers map[*func()]struct{}
	closed  bool
}

// newClient takes over rdb, which is connected, and stop, which ends its server if that is ours.
func newClient(rdb redis.UniversalClient, label, url string, stop func() error, opts Options) *Client {
	c := &Client{rdb: rdb, label: label, url: url, stop: stop, log: opts.Logger, retry: opts.Retry,
		batch: newBatcher(rdb), closing: make(chan struct{}), closers: map[*func()]struct{}{}}
	c.channel.init(rdb, opts.Logger)
	return c
}

// String names the server without its password: "embedded", "local" or an address such as "redis://10.0.0.7:6379/0".
func (c *Client) String() string { return c.label }

// URL is the whole address, with its password, for handing to another process by a pipe or its environment. Never print it.
func (c *Client) URL() string { return c.url }

// Redis is the go-redis client below, for plain commands. Its own retries are off.
func (c *Client) Redis() redis.UniversalClient { return c.rdb }

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
// it. A second call does nothing.
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

	for _, f := range closers {
		f()
	}
	close(c.closing)
	c.batch.close()
	c.channel.close()
	err := c.rdb.Close() // ends what is under way
	c.batch.running.Wait()
	if c.stop != nil {
		if stopErr := c.stop(); err == nil {
			err = stopErr
		}
	}
	return err
}

func (c *Client) isClosed() bool {
	select {
	case <-c.closing:
		return true
	default:
		return false
	}
}
