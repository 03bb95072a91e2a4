package redisx

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Listener gets what is published on one channel. Its functions are called by one goroutine and must not block.
type Listener struct {
	Message func(payload string)
	// State says whether the channel is subscribed to. What was published while it was not, was missed.
	State func(up bool)
}

// Listen subscribes to a channel in the background until the returned function is called. The subscription is taken up
// again after a broken connection. All channels of a client share one connection; a channel has one listener.
func (c *Client) Listen(channel string, l Listener) (stop func()) {
	return c.channel.listen(channel, l)
}

const (
	pingAfter         = 5 * time.Second // of silence; without an answer for as long again the connection is given up
	subscribeBackoff  = 50 * time.Millisecond
	subscribeRefusing = 5 * time.Second // a server that refuses the subscription is asked again this rarely
)

type subscriber struct {
	rdb redis.UniversalClient
	log *slog.Logger

	mu        sync.Mutex
	pubsub    *redis.PubSub // nil until something listens
	listeners map[string]Listener
	closing   chan struct{}
	closed    bool
	running   sync.WaitGroup
}

func (s *subscriber) init(rdb redis.UniversalClient, log *slog.Logger) {
	s.rdb, s.log, s.listeners, s.closing = rdb, log, map[string]Listener{}, make(chan struct{})
}

func (s *subscriber) listen(channel string, l Listener) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return func() {}
	}
	s.listeners[channel] = l
	if s.pubsub == nil {
		s.pubsub = s.rdb.Subscribe(context.Background())
		s.running.Go(s.run)
	}
	pubsub := s.pubsub
	// Subscribing may have to connect first: nobody waits for that. Where it fails, recover subscribes again.
	s.running.Go(func() {
		if pubsub.Subscribe(context.Background(), channel) != nil {
			_ = pubsub.Close()
		}
	})
	return func() { s.unlisten(channel) }
}

func (s *subscriber) unlisten(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	delete(s.listeners, channel)
	pubsub := s.pubsub
	s.running.Go(func() { _ = pubsub.Unsubscribe(context.Background(), channel) })
}

func (s *subscriber) close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	close(s.closing)
	if s.pubsub != nil {
		_ = s.pubsub.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

func (s *subscriber) run() {
	pinged := false
	for {
		s.mu.Lock()
		pubsub := s.pubsub
		s.mu.Unlock()

		message, err := pubsub.ReceiveTimeout(context.Background(), pingAfter)
		if isTimeout(err) && !pinged {
			pinged = true
			err = pubsub.Ping(context.Background())
			if err == nil {
				continue
			}
		}
		if err != nil {
			pinged = false
			if !s.recover(err) {
				return
			}
			continue
		}
		pinged = false
		switch m := message.(type) {
		case *redis.Message:
			if l, ok := s.listener(m.Channel); ok {
				l.Message(m.Payload)
			}
		case *redis.Subscription:
			if l, ok := s.listener(m.Channel); ok {
				l.State(m.Kind == "subscribe")
			}
		}
	}
}

// recover prepares for the next try after the subscription failed; false at the end of the client.
func (s *subscriber) recover(err error) bool {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return false
	}
	channels := make([]string, 0, len(s.listeners))
	listeners := make([]Listener, 0, len(s.listeners))
	for channel, l := range s.listeners {
		channels, listeners = append(channels, channel), append(listeners, l)
	}
	// A new one, since go-redis keeps a connection that is merely silent.
	_ = s.pubsub.Close()
	s.pubsub = s.rdb.Subscribe(context.Background())
	pubsub := s.pubsub
	s.mu.Unlock()

	for _, l := range listeners {
		l.State(false)
	}
	pause := subscribeBackoff
	if _, refused := errors.AsType[redis.Error](err); refused {
		pause = subscribeRefusing
	}
	s.log.Warn("redis subscription lost, trying again", "in", pause, "error", err)
	select {
	case <-time.After(pause):
	case <-s.closing:
		return false
	}
	if len(channels) > 0 {
		_ = pubsub.Subscribe(context.Background(), channels...)
	}
	return true
}

func (s *subscriber) listener(channel string) (Listener, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.listeners[channel]
	return l, ok
}

func isTimeout(err error) bool {
	netErr, ok := errors.AsType[net.Error](err)
	return ok && netErr.Timeout()
}
