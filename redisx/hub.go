package redisx

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	placeBackoff     = 50 * time.Millisecond // before a lost subscription is taken up again
	placeLastBackoff = time.Second
	placeRefused     = 5 * time.Second // a server that refuses the subscription is asked again this rarely
	checkMasters     = time.Second     // in a cluster, whether a channel is still where its slot is
)

// hub keeps each channel subscribed to at the right server.
type hub struct {
	rdb     redis.UniversalClient
	cluster *redis.ClusterClient // nil if there is one server
	log     *slog.Logger
	clean   func(error) error // takes secrets out

	mu       sync.Mutex
	channels map[string]*subscription
	servers  map[*redis.Client]*subscriber
	started  bool
	closed   bool
	wake     chan struct{} // there may be something to place
	closing  context.Context
	close    context.CancelFunc
	running  sync.WaitGroup
}

func newHub(rdb redis.UniversalClient, log *slog.Logger, clean func(error) error) *hub {
	h := &hub{rdb: rdb, log: log, clean: clean, channels: map[string]*subscription{},
		servers: map[*redis.Client]*subscriber{}, wake: make(chan struct{}, 1)}
	h.cluster, _ = rdb.(*redis.ClusterClient)
	h.closing, h.close = context.WithCancel(context.Background())
	return h
}

func (h *hub) listen(channel string, l Listener) (stop func()) {
	e := &hearing{Listener: l}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return func() {}
	}
	s := h.channels[channel]
	if s == nil {
		s = &subscription{channel: channel}
		h.channels[channel] = s
	}
	s.join(e)
	h.running.Go(func() { s.greet(e) })
	if !h.started {
		h.started = true
		h.running.Go(h.run)
	}
	h.nudge()
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if s.leave(e) && h.channels[channel] == s {
			h.forget(s)
		}
	}
}

// forget ends a subscription. h.mu is held.
func (h *hub) forget(s *subscription) {
	delete(h.channels, s.channel)
	if s.at != nil {
		s.at.drop(s)
		s.at = nil
	}
}

func (h *hub) nudge() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// shut ends all subscriptions and waits for their goroutines.
func (h *hub) shut() {
	h.mu.Lock()
	h.closed = true
	h.close()
	for _, sub := range h.servers {
		sub.end()
	}
	h.mu.Unlock()
	h.running.Wait()
}

// run places what is not subscribed to.
func (h *hub) run() {
	for {
		var later <-chan time.Time
		h.follow()
		if wait := h.place(); wait > 0 {
			later = time.After(wait)
		}
		select {
		case <-h.wake:
		case <-later:
		case <-h.closing.Done():
			return
		}
	}
}

// place subscribes to what is due, and says when there is more to do; 0 stands for only when woken.
func (h *hub) place() (wait time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	for _, s := range h.channels {
		left := s.due.Sub(now)
		if s.at == nil && left <= 0 {
			left = h.settle(s)
		} else if s.at != nil {
			left = 0
		}
		if left > 0 && (wait == 0 || left < wait) {
			wait = left
		}
	}
	if h.cluster != nil && len(h.channels) > 0 && wait == 0 {
		wait = checkMasters
	}
	return wait
}

// settle subscribes at the right server. h.mu is held.
func (h *hub) settle(s *subscription) (wait time.Duration) {
	server, err := h.serverOf(s.channel)
	if err != nil || h.closed {
		return placeLastBackoff
	}
	sub := h.servers[server]
	if sub == nil {
		sub = newSubscriber(h, server, h.cluster != nil)
		h.servers[server] = sub
		h.running.Go(sub.run)
	}
	s.at = sub
	sub.add(s)
	return 0
}

// follow leaves the servers that are no longer the masters of their channels' slots.
func (h *hub) follow() {
	if h.cluster == nil {
		return
	}
	var moved []*subscription
	h.mu.Lock()
	for _, s := range h.channels {
		if s.at == nil {
			continue
		}
		if server, err := h.serverOf(s.channel); err == nil && server != s.at.server {
			s.at.drop(s)
			s.at, s.due = nil, time.Now()
			moved = append(moved, s)
		}
	}
	h.mu.Unlock()
	for _, s := range moved {
		s.state(false)
	}
}

func (h *hub) serverOf(channel string) (*redis.Client, error) {
	if h.cluster != nil {
		return h.cluster.MasterForKey(h.closing, channel)
	}
	return h.rdb.(*redis.Client), nil
}

// lost has a subscription placed anew, unless it is elsewhere by now.
func (h *hub) lost(from *subscriber, s *subscription, pause time.Duration) {
	h.mu.Lock()
	if s.at != from {
		h.mu.Unlock()
		return
	}
	s.at = nil
	s.backoff = min(max(2*s.backoff, placeBackoff), placeLastBackoff)
	s.due = time.Now().Add(max(pause, s.backoff))
	h.mu.Unlock()
	s.state(false)
	if h.cluster != nil {
		h.cluster.ReloadState(h.closing)
	}
	h.nudge()
}

// gone forgets a server's connection, which has failed, and places anew what was subscribed to there.
func (h *hub) gone(sub *subscriber, pause time.Duration) {
	h.mu.Lock()
	if h.servers[sub.server] == sub {
		delete(h.servers, sub.server)
	}
	var lost []*subscription
	for _, s := range h.channels {
		if s.at == sub {
			lost = append(lost, s)
		}
	}
	h.mu.Unlock()
	for _, s := range lost {
		h.lost(sub, s, pause)
	}
}

// find gives the subscription to a channel if it is at this subscriber.
func (h *hub) find(at *subscriber, channel string) *subscription {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.channels[channel]; s != nil && s.at == at {
		return s
	}
	return nil
}

// settled ends the growing of the pauses between tries.
func (h *hub) settled(s *subscription) {
	h.mu.Lock()
	s.backoff = 0
	h.mu.Unlock()
}
