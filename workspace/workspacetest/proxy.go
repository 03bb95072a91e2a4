package workspacetest

import (
	"bytes"
	"net"
	"net/url"
	"sync"

	"github.com/netspaces/netspaces/redisx"
)

// proxy stands between a client and the server and makes the network fail.
type proxy struct {
	s        *site
	listener net.Listener
	target   *url.URL
	running  sync.WaitGroup

	mu       sync.Mutex
	pairs    map[*pair]struct{}
	refusing bool
	deaf     bool          // nothing reaches connections that subscribe
	lose     []byte        // the next request with this in it has its reply lost
	lost     chan struct{} // closed when that has happened
	frozen   chan struct{} // closed when the network works again; nil if it does
	closed   bool
}

// pair is one connection through the proxy.
type pair struct {
	client, server net.Conn
	subscribes     bool
	awaiting       bool // a request has gone through, and its reply has not
	losing         bool
}

// proxied gives a client that reaches the server through a proxy.
func (s *site) proxied() (*redisx.Client, *proxy) {
	s.Helper()
	target, err := url.Parse(s.rdb.URL())
	s.must(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	p := &proxy{s: s, listener: listener, target: target, pairs: map[*pair]struct{}{}}
	p.running.Go(p.accept)
	s.Cleanup(p.close)
	address := url.URL{Scheme: "redis", User: target.User, Host: listener.Addr().String(), Path: "/0", RawQuery: target.RawQuery}
	return s.clientAt(address.String()), p
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		network, address := "tcp", p.target.Host
		if p.target.Scheme == "unix" {
			network, address = "unix", p.target.Path
		}
		server, err := net.Dial(network, address)
		p.mu.Lock()
		if err != nil || p.refusing || p.closed {
			p.mu.Unlock()
			_ = client.Close()
			if err == nil {
				_ = server.Close()
			}
			continue
		}
		c := &pair{client: client, server: server}
		p.pairs[c] = struct{}{}
		p.running.Go(func() { p.forward(c, client, server, p.request) })
		p.running.Go(func() { p.forward(c, server, client, p.reply) })
		p.mu.Unlock()
	}
}

// forward copies one direction of a connection; pass says whether some bytes may go on.
func (p *proxy) forward(c *pair, from, to net.Conn, pass func(*pair, []byte) bool) {
	defer p.end(c)
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		frozen := p.frozen
		p.mu.Unlock()
		if frozen != nil {
			<-frozen
		}
		if !pass(c, buffer[:n]) {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (p *proxy) request(c *pair, text []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if bytes.Contains(text, []byte("\r\nsubscribe\r\n")) {
		c.subscribes = true
	}
	c.awaiting = true
	if p.lose != nil && bytes.Contains(text, p.lose) {
		p.lose, c.losing = nil, true
	}
	return true
}

func (p *proxy) reply(c *pair, text []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.losing {
		c.losing = false
		close(p.lost)
		_, _ = c.client.Close(), c.server.Close()
		return false
	}
	c.awaiting = false
	return !p.deaf || !c.subscribes
}

func (p *proxy) end(c *pair) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pairs, c)
	_, _ = c.client.Close(), c.server.Close()
}

// quiet waits until no request is under way and the client is subscribed, so that a failure hits no call by chance.
func (p *proxy) quiet() {
	p.s.Helper()
	calm := 0
	p.s.eventually(func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		subscribed, busy := false, false
		for c := range p.pairs {
			subscribed = subscribed || c.subscribes
			busy = busy || c.awaiting
		}
		if calm++; busy || !subscribed {
			calm = 0
		}
		return calm > 4 // what the client does with a reply may be a request
	}, func() string { return "the client does not come to rest" })
}

// cut breaks all connections; new ones may be made.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.pairs {
		_, _ = c.client.Close(), c.server.Close()
	}
}

// refuse breaks all connections and lets none be made, until allow. That comes at the end of the test at the latest, so
// that handles need not wait for Redis when they are closed.
func (p *proxy) refuse() {
	p.s.Cleanup(p.allow)
	p.mu.Lock()
	p.refusing = true
	p.mu.Unlock()
	p.cut()
}

func (p *proxy) allow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing = false
}

// freeze stops all bytes without breaking a connection, until thaw: so a machine vanishes.
func (p *proxy) freeze() {
	p.s.Cleanup(p.thaw)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen == nil {
		p.frozen = make(chan struct{})
	}
}

func (p *proxy) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen != nil {
		close(p.frozen)
		p.frozen = nil
	}
}

// deafen drops what is published, while all else works; hear ends that.
func (p *proxy) deafen() { p.setDeaf(true) }
func (p *proxy) hear()   { p.setDeaf(false) }

func (p *proxy) setDeaf(deaf bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deaf = deaf
}

// loseReply has the server run the next request that works on the variable "lossy", and breaks the connection in place of
// the reply. The channel is closed when that has happened.
func (p *proxy) loseReply() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lose, p.lost = []byte("values:lossy"), make(chan struct{})
	return p.lost
}

func (p *proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.thaw()
	p.cut()
	p.running.Wait()
}
