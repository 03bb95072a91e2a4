package sleigh

import (
	"context"
	"sync"
	"time"
)

// company is the tasks that run in the slots of a worker at a time. A careful one, over which a worker has died, begins without
// company, so that its next death is not put down to others. Nobody waits for longer than aloneFor, since tasks may wait for each
// other. The zero value is ready.
type company struct {
	mu      sync.Mutex
	running int
	careful int           // those that wait to begin, or began lately: others wait for them
	changed chan struct{} // closed at the next change; nil while nobody waits for that
}

// enter waits until a task may begin, which is over when leave is called.
func (c *company) enter(ctx context.Context, careful bool) (leave func()) {
	c.mu.Lock()
	if careful {
		c.careful++
	}
	if !c.mayEnter(careful) {
		ctx, cancel := context.WithTimeout(ctx, aloneFor)
		defer cancel()
		for !c.mayEnter(careful) && ctx.Err() == nil {
			c.wait(ctx)
		}
	}
	c.running++
	c.mu.Unlock()
	if !careful {
		return func() { c.end(1, 0) }
	}
	let := sync.OnceFunc(func() { c.end(0, 1) })
	timer := time.AfterFunc(aloneFor, let)
	return func() {
		timer.Stop()
		let()
		c.end(1, 0)
	}
}

// mayEnter is called with mu held, as is wait.
func (c *company) mayEnter(careful bool) bool {
	if careful {
		return c.running == 0
	}
	return c.careful == 0
}

func (c *company) wait(ctx context.Context) {
	if c.changed == nil {
		c.changed = make(chan struct{})
	}
	changed := c.changed
	c.mu.Unlock()
	defer c.mu.Lock()
	select {
	case <-changed:
	case <-ctx.Done():
	}
}

func (c *company) end(running, careful int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running -= running
	c.careful -= careful
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}
