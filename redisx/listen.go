package redisx

import (
	"sync"
	"time"
)

// Listener gets what is published on one channel. Its functions are called one at a time and must not block.
type Listener struct {
	Message func(payload string)
	// State says whether the channel is subscribed to. What was published while it was not, was missed.
	State func(up bool)
}

// Listen subscribes to a channel in the background until the returned function is called. The subscription is taken up
// again after a broken connection or a failover. All channels of a server share one connection; a channel has one
// listener, and a later one takes its place. A call of its functions may still be under way when stop returns.
//
// In a cluster it subscribes by SSUBSCRIBE (Redis 7) at the node that has the slot of the channel's name, and goes with
// the slot when that moves. Only what is published by SPUBLISH arrives there.
func (c *Client) Listen(channel string, l Listener) (stop func()) {
	return c.listening.listen(channel, l)
}

// subscription is one channel and who listens to it.
type subscription struct {
	channel  string
	listener Listener

	// The hub's mutex guards these.
	at      *subscriber // nil while it is to be placed
	due     time.Time   // not to be placed before
	backoff time.Duration

	calling sync.Mutex // held while a function of the listener runs
	up      bool
}

func (s *subscription) message(payload string) {
	s.calling.Lock()
	defer s.calling.Unlock()
	s.listener.Message(payload)
}

// state tells what is new.
func (s *subscription) state(up bool) {
	s.calling.Lock()
	defer s.calling.Unlock()
	if s.up != up {
		s.up = up
		s.listener.State(up)
	}
}
