package redistest

import (
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
)

// Proxy stands between clients and a server, and has the network fail. It understands what is sent so far as to tell
// requests and replies apart. TLS it passes on as it is: it can be cut, frozen and refused, but no single request of it
// lost.
//
// Refuse, Freeze, Deafen and Faults end by themselves at the end of the test, before clients that were opened earlier
// are closed.
type Proxy struct {
	t        testing.TB
	target   string
	listener net.Listener
	running  sync.WaitGroup

	mu       sync.Mutex
	links    map[*link]struct{}
	refusing bool
	deaf     bool
	closed   bool
	frozen   chan struct{} // closed when bytes flow again; nil if they do
	faults   faults
}

// StartProxy starts a proxy before the server at addr, which is host:port or the path of a Unix socket. It ends with
// the test.
func StartProxy(t testing.TB, addr string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{t: t, target: addr, listener: listener, links: map[*link]struct{}{}}
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// URL is the address of the server by way of the proxy. One that speaks TLS needs another scheme, before Addr.
func (p *Proxy) URL() string { return "redis://" + p.Addr() }

// Addr is the host and port of the proxy.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut breaks all connections. New ones may be made.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.cut()
	}
}

// Refuse breaks all connections and each new one at once, until Allow.
func (p *Proxy) Refuse() {
	p.t.Cleanup(p.Allow)
	p.mu.Lock()
	p.refusing = true
	p.mu.Unlock()
	p.Cut()
}

// Allow ends Refuse.
func (p *Proxy) Allow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing = false
}

// Freeze stops all bytes in both directions until Thaw, and leaves connections as they are: so does a machine that
// vanishes. What was sent meanwhile arrives after Thaw, even if the client has given up on it.
func (p *Proxy) Freeze() {
	p.t.Cleanup(p.Thaw)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen == nil {
		p.frozen = make(chan struct{})
	}
}

// Thaw ends Freeze.
func (p *Proxy) Thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen != nil {
		close(p.frozen)
		p.frozen = nil
	}
}

// Deafen drops all that is published to subscribers, while all else works, until Hear.
func (p *Proxy) Deafen() {
	p.t.Cleanup(p.Hear)
	p.setDeaf(true)
}

// Hear ends Deafen.
func (p *Proxy) Hear() { p.setDeaf(false) }

func (p *Proxy) setDeaf(deaf bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deaf = deaf
}

// LoseReply has the server run the next request that has match among its bytes, and breaks the connection in place of
// the reply. Replies to earlier requests of the same pipeline still arrive. The channel is closed when that has
// happened.
func (p *Proxy) LoseReply(match []byte) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults.set(match, fate{loseReply: true})
}

// LoseRequest breaks the connection in place of sending on the next request that has match among its bytes. The channel
// is closed when that has happened.
func (p *Proxy) LoseRequest(match []byte) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults.set(match, fate{loseRequest: true})
}

// Faults has requests fail by chance, until Calm. The seed makes the same choices again, as far as requests come in the
// same order.
func (p *Proxy) Faults(seed uint64, rates Rates) {
	p.t.Cleanup(p.Calm)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults.rng, p.faults.rates = rand.New(rand.NewPCG(seed, 0)), rates
}

// Calm ends Faults.
func (p *Proxy) Calm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults.rng = nil
}

// Counts are the faults so far: those by chance, and those by LoseReply and LoseRequest.
func (p *Proxy) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults.counts
}

// InFlight is how many requests have come in whose replies have not.
func (p *Proxy) InFlight() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for l := range p.links {
		n += len(l.awaiting)
	}
	return n
}

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(conn) })
	}
}

// serve passes on one connection, until it ends.
func (p *Proxy) serve(client net.Conn) {
	network := "tcp"
	if strings.HasPrefix(p.target, "/") {
		network = "unix"
	}
	server, err := net.Dial(network, p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	l := &link{p: p, client: client, server: server, done: make(chan struct{})}
	defer l.end()
	if !p.add(l) {
		return
	}
	l.run()
}

func (p *Proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refusing || p.closed {
		return false
	}
	p.links[l] = struct{}{}
	return true
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.Cut()
	p.running.Wait()
}
