package redisx

import (
	"context"
	"errors"
	"sync"

	"github.com/redis/go-redis/v9"
)

// cluster finds the node of a key. Each node has its own batcher, so that one that is slow or dead holds up no others.
type cluster struct {
	rdb     *redis.ClusterClient
	options *redis.Options // of a connection to any node

	mu        sync.Mutex
	nodes     map[string]*batcher // by address
	closed    bool
	following sync.WaitGroup
}

func newCluster(rdb *redis.ClusterClient, options *redis.Options) *cluster {
	return &cluster{rdb: rdb, options: options, nodes: map[string]*batcher{}}
}

func (c *cluster) do(ctx context.Context, call *call, key string) result {
	// It knows the slots since Open, and looks them up in the background from then on.
	node, err := c.rdb.MasterForKey(ctx, key)
	if err != nil {
		return result{err: err}
	}
	b := c.node(node.Options().Addr)
	if b == nil {
		return result{err: redis.ErrClosed}
	}
	r := b.do(ctx, call)
	switch {
	case isRedirect(r.err):
		c.rdb.ReloadState(ctx)
		if call.before != nil { // the two may have come to two nodes
			return r
		}
		return c.follow(ctx, call)
	case r.err != nil && fateOf(r.err) != answered:
		c.rdb.ReloadState(ctx) // there may be another master by now
	}
	return r
}

// node gives the batcher of an address; nil once closed.
func (c *cluster) node(addr string) *batcher {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.nodes[addr]
	if b == nil && !c.closed {
		b = newBatcher(func() *redis.Client {
			o := alone(*c.options)
			o.Addr = addr
			return redis.NewClient(o)
		})
		c.nodes[addr] = b
	}
	return b
}

// follow does a call by go-redis, which goes after MOVED and ASK. It is for the while in which a slot moves.
func (c *cluster) follow(ctx context.Context, call *call) result {
	call.whole, call.sent = true, true
	call.done = make(chan struct{})
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return result{err: redis.ErrClosed}
	}
	c.following.Go(func() {
		defer close(call.done)
		cmd := call.command()
		_ = c.rdb.Process(context.Background(), cmd) // the command keeps its error
		call.take(cmd)
	})
	c.mu.Unlock()
	select {
	case <-call.done:
		return call.result()
	case <-ctx.Done():
		return result{err: ctx.Err(), sent: true}
	}
}

func (c *cluster) close() error {
	c.mu.Lock()
	c.closed = true
	nodes := c.nodes
	c.mu.Unlock()
	errs := []error{c.rdb.Close()}
	for _, b := range nodes {
		errs = append(errs, b.close())
	}
	c.following.Wait()
	return errors.Join(errs...)
}

// isRedirect says whether a node answered that another one has the slot.
func isRedirect(err error) bool {
	return redis.HasErrorPrefix(err, "MOVED ") || redis.HasErrorPrefix(err, "ASK ")
}
