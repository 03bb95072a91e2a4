package redisx

import (
	"context"
	"net"
	"sync"

	"github.com/redis/go-redis/v9"
)

// wire is one connection for scripts, made anew where it broke. It can be cut while a call is under way, which go-redis
// does not offer.
type wire struct {
	rdb *redis.Client // has this connection only

	mu    sync.Mutex
	conn  net.Conn // the last one
	turn  int      // counts the uses
	isCut bool     // in this turn: nothing is to be dialled any more
}

// newWire makes a wire to the server that the options tell. They are not changed.
func newWire(options *redis.Options) *wire {
	w := &wire{}
	o := *options
	o.PoolSize, o.MinIdleConns, o.MaxIdleConns, o.MaxActiveConns, o.MaxConcurrentDials = 1, 0, 0, 0, 0
	dial := o.Dialer
	o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, &dialError{err}
		}
		return w.use(conn)
	}
	w.rdb = redis.NewClient(&o)
	return w
}

func (w *wire) use(conn net.Conn) (net.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isCut {
		_ = conn.Close()
		return nil, &dialError{context.Canceled}
	}
	w.conn = conn
	return conn, nil
}

// begin opens a turn, in which the end of ctx cuts the wire. The function that it returns ends the turn.
func (w *wire) begin(ctx context.Context) (end func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	w.mu.Lock()
	turn := w.turn
	w.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { w.cut(turn) })
	return func() {
		if stop() {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.turn++
		w.isCut = false
	}
}

func (w *wire) cut(turn int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.turn != turn {
		return
	}
	w.isCut = true
	if w.conn != nil {
		_ = w.conn.Close()
	}
}

// dialError is that of a call for which there was no connection.
type dialError struct{ err error }

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }
