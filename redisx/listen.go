package redisx

import (
	"slices"
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
// again after a broken connection or a failover. All channels of a server share one connection, all listeners of a channel
// one subscription. A call of a listener's functions may still be under way when stop returns.
//
// In a cluster it subscribes by SSUBSCRIBE (Redis 7) at the node that has the slot of the channel's name, and goes with
// the slot when that moves. Only what is published by SPUBLISH arrives there.
func (c *Client) Listen(channel string, l Listener) (stop func()) {
	return c.listening.listen(channel, l)
}

// hearing is a listener, and whether it was told that its channel is subscribed to.
type hearing struct {
	Listener
	up bool
}

func (e *hearing) tell(up bool) {
	if e.up != up {
		e.up = up
		e.State(up)
	}
}

// subscription is one channel and who listens to it.
type subscription struct {
	channel string

	joining  sync.Mutex
	hearings []*hearing // replaced when it changes

	// The hub's mutex guards these.
	at      *subscriber // nil while it is to be placed
	due     time.Time   // not to be placed before
	backoff time.Duration

	calling sync.Mutex // held while a function of the listener runs
	up      bool
}

func (s *subscription) join(l *hearing) {
	s.joining.Lock()
	defer s.joining.Unlock()
	s.hearings = append(slices.Clip(s.hearings), l)
}

// leave reports whether nobody listens any more.
func (s *subscription) leave(l *hearing) bool {
	s.joining.Lock()
	defer s.joining.Unlock()
	s.hearings = slices.DeleteFunc(slices.Clone(s.hearings), func(other *hearing) bool { return other == l })
	return len(s.hearings) == 0
}

func (s *subscription) all() []*hearing {
	s.joining.Lock()
	defer s.joining.Unlock()
	return s.hearings
}

func (s *subscription) message(payload string) {
	s.calling.Lock()
	defer s.calling.Unlock()
	for _, l := range s.all() {
		l.Message(payload)
	}
}

// greet tells one who has come later that the channel is subscribed to, if it is.
func (s *subscription) greet(l *hearing) {
	s.calling.Lock()
	defer s.calling.Unlock()
	if slices.Contains(s.all(), l) {
		l.tell(s.up)
	}
}

// state tells what is new.
func (s *subscription) state(up bool) {
	s.calling.Lock()
	defer s.calling.Unlock()
	if s.up != up {
		s.up = up
		for _, l := range s.all() {
			l.tell(up)
		}
	}
}
