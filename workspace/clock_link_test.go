package workspace_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

// machine is where a client runs. Its connections to the server are pipes within the bubble; they can be frozen, so that
// no byte moves and nothing breaks, or cut.
type machine struct {
	server *server

	mu    sync.Mutex
	thaws chan struct{} // closed when it thaws; nil if it is not frozen
	hears chan struct{} // the same for what the server sends
	dead  bool
	deaf  bool
	links map[*link]struct{}
	tried []time.Duration // when it dialled
}

// link is one connection. As in a kernel, what was written is on its way, also after the writer has closed.
type link struct {
	machine    *machine
	near, far  net.Conn      // our ends of the pipes to the client and to the server
	old        chan struct{} // closed when it alone thaws; nil if it is not frozen by itself
	subscribes bool
}

const onItsWay = 4096 // writes that a connection takes while nobody reads

var errNoRoute = errors.New("no route to host")

func (s *server) machine() *machine { return &machine{server: s, links: map[*link]struct{}{}} }

// dial is for redisx.Options. A machine that is frozen gets no answer.
func (m *machine) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	m.mu.Lock()
	m.tried = append(m.tried, time.Since(m.server.began))
	thaws := m.thaws
	m.mu.Unlock()
	if thaws != nil {
		select {
		case <-thaws:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(5 * time.Second): // as net.Dialer would
			return nil, os.ErrDeadlineExceeded
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return nil, errNoRoute
	}
	far, err := m.server.redis.Dial()
	if err != nil {
		return nil, err
	}
	client, near := net.Pipe()
	l := &link{machine: m, near: near, far: far}
	m.links[l] = struct{}{}
	go l.carry(near, far, true)
	go l.carry(far, near, false)
	return client, nil
}

// dials says when the machine has dialled.
func (m *machine) dials() []time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.tried)
}

func (l *link) carry(from, to net.Conn, up bool) {
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
		if l.pass(some, up) {
			if _, err := to.Write(some); err != nil {
				_ = from.Close()
			}
		}
	}
	l.machine.mu.Lock()
	delete(l.machine.links, l)
	l.machine.mu.Unlock()
	_ = to.Close()
}

// pass holds bytes back while nothing moves. False: they are lost.
func (l *link) pass(some []byte, up bool) bool {
	m := l.machine
	for {
		m.mu.Lock()
		l.subscribes = l.subscribes || up && bytes.Contains(some, []byte("\r\nsubscribe\r\n"))
		lost, still := m.deaf && l.subscribes && !up, m.thaws
		if still == nil && !up && !l.subscribes {
			still = m.hears
		}
		if still == nil {
			still = l.old
		}
		m.mu.Unlock()
		if still == nil {
			return !lost
		}
		<-still
	}
}

// freeze stops all bytes without breaking a connection: so a machine hangs, or its cable is out.
func (m *machine) freeze() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.thaws == nil {
		m.thaws = make(chan struct{})
	}
}

func (m *machine) thaw() {
	m.mu.Lock()
	defer m.mu.Unlock()
	open(&m.thaws)
}

func open(still *chan struct{}) {
	if *still != nil {
		close(*still)
		*still = nil
	}
}

// muffle stops all replies, but no messages.
func (m *machine) muffle() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hears = make(chan struct{})
}

// loseReplies ends muffle: the connections break before the replies have come. The subscription stays.
func (m *machine) loseReplies() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for l := range m.links {
		if !l.subscribes {
			_, _ = l.near.Close(), l.far.Close()
		}
	}
	open(&m.hears)
}

// hold freezes the connections that there are, and not those to come. What it returns thaws them.
func (m *machine) hold() (release func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := make(chan struct{})
	for l := range m.links {
		if l.old == nil {
			l.old = old
		}
	}
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		for l := range m.links {
			if l.old == old {
				l.old = nil
			}
		}
		open(&old)
	}
}

// mend ends all that was done to it, so that its client can be closed.
func (m *machine) mend() {
	m.thaw()
	m.mu.Lock()
	defer m.mu.Unlock()
	open(&m.hears)
	m.dead = false
	held := map[chan struct{}]bool{}
	for l := range m.links {
		if l.old != nil && !held[l.old] {
			held[l.old] = true
			close(l.old)
		}
		l.old = nil
	}
}

// cut breaks all connections; new ones may be made.
func (m *machine) cut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for l := range m.links {
		_, _ = l.near.Close(), l.far.Close()
	}
}

// die breaks all connections and lets none be made.
func (m *machine) die() {
	m.mu.Lock()
	m.dead = true
	m.mu.Unlock()
	m.cut()
}

// deafen loses whatever the server sends to subscribers, while all else works.
func (m *machine) deafen() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deaf = true
}
