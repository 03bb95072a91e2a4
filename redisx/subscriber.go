package redisx

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// pingAfter is how long a subscription may be silent; without an answer for as long again its connection is given up.
const pingAfter = 5 * time.Second

// subscriber is the connection for all channels of one server. It ends when the connection does, and its hub makes
// another one.
type subscriber struct {
	hub     *hub
	server  *redis.Client
	sharded bool
	pubsub  *redis.PubSub

	mu      sync.Mutex
	todo    []order
	sent    []order // whose answers are still to come, in their order
	ended   bool
	more    chan struct{} // todo has grown
	closing context.Context
	close   context.CancelFunc
}

// order is to subscribe to a channel or to leave it.
type order struct {
	channel string
	leave   bool
}

func newSubscriber(h *hub, server *redis.Client, sharded bool) *subscriber {
	s := &subscriber{hub: h, server: server, sharded: sharded, pubsub: server.Subscribe(context.Background()),
		more: make(chan struct{}, 1)}
	s.closing, s.close = context.WithCancel(h.closing)
	return s
}

func (s *subscriber) add(sub *subscription)  { s.order(order{channel: sub.channel}) }
func (s *subscriber) drop(sub *subscription) { s.order(order{channel: sub.channel, leave: true}) }

func (s *subscriber) order(o order) {
	s.mu.Lock()
	s.todo = append(s.todo, o)
	s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
}

// end has both goroutines of the subscriber return.
func (s *subscriber) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	s.close()
	s.hub.running.Go(func() { _ = s.pubsub.Close() }) // which waits for a dial that is under way
}

// run sends what is ordered, one after the other.
func (s *subscriber) run() {
	receiving := false
	for {
		for {
			o, ok := s.next()
			if !ok {
				break
			}
			if err := s.send(o); err != nil {
				s.fail(err)
				return
			}
			if !receiving {
				receiving = true
				s.hub.running.Go(s.receive)
			}
		}
		select {
		case <-s.more:
		case <-s.closing.Done():
			return
		}
	}
}

func (s *subscriber) next() (o order, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || len(s.todo) == 0 {
		return order{}, false
	}
	o = s.todo[0]
	s.todo = s.todo[1:]
	s.sent = append(s.sent, o)
	return o, true
}

func (s *subscriber) send(o order) error {
	switch {
	case s.sharded && o.leave:
		return s.pubsub.SUnsubscribe(s.closing, o.channel)
	case s.sharded:
		return s.pubsub.SSubscribe(s.closing, o.channel)
	case o.leave:
		return s.pubsub.Unsubscribe(s.closing, o.channel)
	default:
		return s.pubsub.Subscribe(s.closing, o.channel)
	}
}

// receive hands over what comes, until the connection fails.
func (s *subscriber) receive() {
	pinged := false
	for {
		message, err := s.pubsub.ReceiveTimeout(context.Background(), pingAfter)
		if isTimeout(err) && !pinged {
			pinged = true
			if err = s.pubsub.Ping(s.closing); err == nil {
				continue
			}
		}
		if refusal, ok := errors.AsType[redis.Error](err); ok && s.refused(refusal) {
			continue
		}
		if err != nil {
			s.fail(err)
			return
		}
		pinged = false
		switch m := message.(type) {
		case *redis.Message:
			if sub := s.hub.find(s, m.Channel); sub != nil {
				sub.message(m.Payload)
			}
		case *redis.Subscription:
			s.confirmed(m.Channel, strings.HasSuffix(m.Kind, "unsubscribe"))
		}
	}
}

// confirmed takes note of an answer. Nobody ordered to leave a channel whose slot the server has given away.
func (s *subscriber) confirmed(channel string, left bool) {
	s.hub.mu.Lock()
	s.mu.Lock()
	if len(s.sent) > 0 && s.sent[0] == (order{channel, left}) {
		s.sent = s.sent[1:]
	}
	sub := s.current(channel)
	s.mu.Unlock()
	s.hub.mu.Unlock()

	switch {
	case sub == nil:
	case !left:
		s.hub.settled(sub)
		sub.state(true)
	default:
		s.hub.lost(s, sub, 0)
	}
}

// current is the subscription that an answer is about; nil if more has been ordered since. s.hub.mu and s.mu are held: of a
// subscription that begins in between, the answer would tell nothing.
func (s *subscriber) current(channel string) *subscription {
	isOf := func(o order) bool { return o.channel == channel }
	if sub := s.hub.channels[channel]; sub != nil && sub.at == s && !slices.ContainsFunc(s.sent, isOf) && !slices.ContainsFunc(s.todo, isOf) {
		return sub
	}
	return nil
}

// refused has the channel that an error reply is about placed anew; false if it is about none.
func (s *subscriber) refused(refusal redis.Error) bool {
	s.hub.mu.Lock()
	s.mu.Lock()
	var o order
	waited := len(s.sent) > 0
	if waited {
		o, s.sent = s.sent[0], s.sent[1:]
	}
	sub := s.current(o.channel)
	s.mu.Unlock()
	s.hub.mu.Unlock()

	pause := placeRefused
	if isRedirect(refusal) || fateOf(refusal) == notDone {
		pause = 0
	}
	if sub != nil && !o.leave {
		s.hub.log.Warn("redis subscription refused, trying again", "in", max(pause, placeBackoff), "error", refusal)
		s.hub.lost(s, sub, pause)
	}
	return waited
}

// fail gives the connection up, and its channels back.
func (s *subscriber) fail(err error) {
	s.mu.Lock()
	ended := s.ended
	s.mu.Unlock()
	if ended {
		return
	}
	pause := time.Duration(0)
	if _, refused := errors.AsType[redis.Error](err); refused && fateOf(err) != notDone {
		pause = placeRefused
	}
	s.hub.log.Warn("redis subscription lost, trying again", "in", max(pause, placeBackoff), "error", s.hub.clean(err))
	s.end()
	s.hub.gone(s, pause)
}

func isTimeout(err error) bool {
	netErr, ok := errors.AsType[net.Error](err)
	return ok && netErr.Timeout()
}
