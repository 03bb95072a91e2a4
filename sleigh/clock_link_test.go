package sleigh_test

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	resp "github.com/alicebob/miniredis/v2/server"
)

// newVirtualServer is a Redis that lives by the clock of a bubble, and that nobody reaches but by dial.
func newVirtualServer() (*miniredis.Miniredis, error) {
	redis := miniredis.NewMiniRedis()
	first, err := redis.Dial() // starts it
	if err != nil {
		return nil, err
	}
	redis.Server().SetPreHook(func(c *resp.Peer, command string, _ ...string) (done bool) {
		if command != "TIME" {
			return false
		}
		now := time.Now()
		c.WriteLen(2)
		c.WriteBulk(strconv.FormatInt(now.Unix(), 10))
		c.WriteBulk(strconv.Itoa(now.Nanosecond() / 1000))
		return true
	})
	return redis, first.Close()
}

// machine is where a client runs. Its connections to the server are pipes within the bubble; they can be frozen, so that no
// byte moves and nothing breaks, or be broken for good.
type machine struct {
	redis *miniredis.Miniredis

	mu    sync.Mutex
	thaws chan struct{} // closed when it thaws; nil if it is not frozen
	dead  bool
	links map[net.Conn]struct{} // ours, to the client and to the server
}

func newMachine(redis *miniredis.Miniredis) *machine {
	return &machine{redis: redis, links: map[net.Conn]struct{}{}}
}

const onItsWay = 4096 // writes that a connection takes while nobody reads

var errNoRoute = errors.New("no route to host")

// dial is for redisx.Options.
func (m *machine) dial(context.Context, string, string) (net.Conn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return nil, errNoRoute
	}
	far, err := m.redis.Dial()
	if err != nil {
		return nil, err
	}
	client, near := net.Pipe()
	m.links[near], m.links[far] = struct{}{}, struct{}{}
	go m.carry(near, far)
	go m.carry(far, near)
	return client, nil
}

// carry passes bytes on. As in a kernel, what was written is on its way, also after the writer has closed.
func (m *machine) carry(from, to net.Conn) {
	queue := make(chan []byte, onItsWay)
	go func() {
		defer close(queue)
		for {
			some := make([]byte, 32<<10)
			n, err := from.Read(some)
			if n > 0 {
				queue <- some[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	for some := range queue {
		m.mu.Lock()
		thaws := m.thaws
		m.mu.Unlock()
		if thaws != nil {
			<-thaws
		}
		if _, err := to.Write(some); err != nil {
			_ = from.Close()
		}
	}
	m.mu.Lock()
	delete(m.links, from)
	m.mu.Unlock()
	_ = to.Close()
}

// freeze stops all bytes without breaking a connection: so does a machine that is suspended.
func (m *machine) freeze() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.thaws == nil {
		m.thaws = make(chan struct{})
	}
}

// thaw ends freeze. It returns whether the machine was frozen.
func (m *machine) thaw() (frozen bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if frozen = m.thaws != nil; frozen {
		close(m.thaws)
		m.thaws = nil
	}
	return frozen
}

// die breaks all connections and lets none be made.
func (m *machine) die() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
	for c := range m.links {
		_ = c.Close()
	}
}

// revive ends die. It returns whether the machine was dead.
func (m *machine) revive() (dead bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dead, m.dead = m.dead, false
	return dead
}
