package workspacetest

import (
	"bytes"
	"context"
	"net"
	"sync"
	"syscall"

	"github.com/netspaces/netspaces/redisx"
)

// proxy stands between a client and its servers and makes the network fail.
type proxy struct {
	s       *site
	running sync.WaitGroup

	mu        sync.Mutex
	listeners map[string]net.Listener // by the address of the server
	pairs     map[*pair]struct{}
	traps     []*trap
	refusing  bool
	deaf      bool          // nothing reaches connections that subscribe
	frozen    chan struct{} // closed when the network works again; nil if it does
	closed    bool
}

// pair is one connection through the proxy.
type pair struct {
	client, server net.Conn
	subscribes     bool
	awaiting       bool  // a request has gone through, and its reply has not
	caught         *trap // nil if none waits for the reply
}

// fate is what becomes of a request that a trap catches.
type fate int

const (
	replyLost   fate = iota // the server runs it, and the connection breaks in place of the reply
	requestLost             // the connection breaks before the server has it
	delayed                 // the same, but the server has it in the end
)

// trap waits for a request.
type trap struct {
	match    []byte
	fate     fate
	then     func()        // what else happens in that moment, before the client notices; may be nil
	happened chan struct{} // closed when the request was caught, and the server has run it if its reply is to be lost
	arrived  chan struct{} // closed when the server has run a delayed request
	request  []byte        // that is delayed
	pair     *pair         // on which it is
}

// proxied gives a client that reaches its servers through a proxy.
func (s *site) proxied() (*redisx.Client, *proxy) {
	s.Helper()
	return s.proxiedWith(redisx.Options{})
}

func (s *site) proxiedWith(opts redisx.Options) (*redisx.Client, *proxy) {
	s.Helper()
	p := &proxy{s: s, listeners: map[string]net.Listener{}, pairs: map[*pair]struct{}{}}
	s.Cleanup(p.close)
	opts.Dial = p.dial
	address := s.server.Plain
	if address == "" {
		address = s.rdb.URL()
	}
	return s.clientAt(address, &opts), p
}

// dial makes a connection to a server; each has a listener of its own.
func (p *proxy) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	p.mu.Lock()
	if p.refusing {
		p.mu.Unlock()
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	listener := p.listeners[addr]
	if listener == nil {
		var err error
		if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			p.mu.Unlock()
			return nil, err
		}
		p.listeners[addr] = listener
		p.running.Go(func() { p.accept(listener, network, addr) })
	}
	p.mu.Unlock()
	return (&net.Dialer{}).DialContext(ctx, "tcp", listener.Addr().String())
}

func (p *proxy) accept(listener net.Listener, network, addr string) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial(network, addr)
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
	defer p.end(c, from)
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
	if bytes.Contains(text, []byte("subscribe\r\n")) && bytes.Contains(text, []byte(":inbox:")) {
		c.subscribes = true
	}
	for i, t := range p.traps {
		if !bytes.Contains(text, t.match) {
			continue
		}
		p.traps = append(p.traps[:i:i], p.traps[i+1:]...)
		c.caught = t
		switch t.fate {
		case requestLost:
			t.happens()
			_, _ = c.client.Close(), c.server.Close()
			return false
		case delayed:
			t.request, t.pair = bytes.Clone(text), c
			t.happens()
			_ = c.client.Close()
			return false
		case replyLost:
		}
		break
	}
	c.awaiting = true
	return true
}

func (p *proxy) reply(c *pair, text []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := c.caught; t != nil {
		c.caught = nil
		if t.fate == replyLost && bytes.Contains(text, []byte("-NOSCRIPT")) { // it has not been done, and comes again
			p.traps = append(p.traps, t)
			c.awaiting = false
			return true
		}
		if t.fate == delayed {
			close(t.arrived)
		} else {
			t.happens()
		}
		_, _ = c.client.Close(), c.server.Close()
		return false
	}
	c.awaiting = false
	return !p.deaf || !c.subscribes
}

// end breaks a connection of which one side has ended. The server's side of one with a delayed request stays.
func (p *proxy) end(c *pair, side net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.caught != nil && c.caught.fate == delayed && side == c.client {
		return
	}
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

// cut breaks all connections; new ones may be made. A delayed request is still on its way.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.pairs {
		if c.caught == nil || c.caught.fate != delayed || p.closed {
			_, _ = c.client.Close(), c.server.Close()
		}
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

// unreachable is refuse for the moment in which a trap catches something.
func (p *proxy) unreachable() {
	p.refusing = true
	for c := range p.pairs {
		_, _ = c.client.Close(), c.server.Close()
	}
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

func (t *trap) happens() {
	if t.then != nil {
		t.then()
	}
	close(t.happened)
}

// catch lays a trap for the next request that has match in it.
func (p *proxy) catch(what fate, match string, then func()) *trap {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := &trap{match: []byte(match), fate: what, then: then, happened: make(chan struct{}), arrived: make(chan struct{})}
	p.traps = append(p.traps, t)
	return t
}

// loseReply has the server run the next request that works on the variable "lossy", and breaks the connection in place of
// the reply. The channel is closed when that has happened.
func (p *proxy) loseReply() <-chan struct{} { return p.catch(replyLost, "values:lossy", nil).happened }

// arrive has a request that was delayed reach the server after all, and returns when the server has run it.
func (p *proxy) arrive(t *trap) {
	p.s.Helper()
	p.mu.Lock()
	_, err := t.pair.server.Write(t.request)
	p.mu.Unlock()
	p.s.must(err)
	select {
	case <-t.arrived:
	case <-p.s.ctx.Done():
		p.s.Fatal("the server does not answer to a request that was delayed")
	}
}

func (p *proxy) close() {
	p.mu.Lock()
	p.closed = true
	for _, listener := range p.listeners {
		_ = listener.Close()
	}
	p.mu.Unlock()
	p.thaw()
	p.cut()
	p.running.Wait()
}
