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
	dial := lateFailure(o.Dialer) // by sentinels it may fail before that
	o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		return w.use(conn), err
	}
	w.rdb = redis.NewClient(&o)
	return w
}

func (w *wire) use(conn net.Conn) net.Conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isCut {
		_ = conn.Close()
		return newNoConn(context.Canceled)
	}
	w.conn = conn
	return conn
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
