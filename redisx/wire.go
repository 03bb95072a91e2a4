package redisx

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// waryFor is how many batches make up for one that was cut: connecting anew costs about as much as handing these over.
const waryFor = 100

// wire is one connection for scripts, made anew where it broke. It can be cut while a call is under way, which go-redis
// does not offer.
type wire struct {
	client func() *redis.Client
	rdb    *redis.Client // has this connection only
	rested time.Time     // when it was last used; the batcher's mutex guards it

	// wary is for how many batches no end of a context may cut the wire, so that contexts that are shorter than it takes
	// to connect leave it usable. It belongs to who uses the wire.
	wary int

	mu    sync.Mutex
	conn  net.Conn // the last one
	turn  int      // counts the uses
	isCut bool     // in this turn: nothing is to be dialled any more
}

// newWire makes a wire over clients that client makes, for one connection each.
func newWire(client func() *redis.Client) *wire {
	w := &wire{client: client}
	w.renew()
	return w
}

// renew has the wire connect anew with its next use.
func (w *wire) renew() {
	w.rdb, w.wary = w.client(), 1
	w.rdb.AddHook(dialHook(func(dial dialFunc) dialFunc {
		dial = lateFailure(dial)
		return func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			return w.use(conn), err
		}
	}))
}

// alone has a client of these options make one connection.
func alone(o redis.Options) *redis.Options {
	o.PoolSize, o.MinIdleConns, o.MaxIdleConns, o.MaxActiveConns, o.MaxConcurrentDials = 1, 0, 0, 0, 0
	return &o
}

// dialHook changes how a client dials, by sentinels too.
type dialHook func(dialFunc) dialFunc

func (h dialHook) DialHook(next redis.DialHook) redis.DialHook { return h(next) }

func (dialHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (dialHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
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
		w.wary = waryFor
	}
}

// send sends calls that others may wait for, and so is not cut.
func (w *wire) send(batch []*call) {
	send(context.Background(), w.rdb, batch)
	if err := batch[0].cmd.Err(); err == nil || fateOf(err) == answered {
		w.wary = max(0, w.wary-1)
	} else {
		w.wary = max(1, w.wary) // it has to connect
	}
}

// hangUp closes the connection of a wire that nobody uses. The next use makes another one.
func (w *wire) hangUp() {
	w.mu.Lock()
	hung := w.conn == nil
	w.conn = nil
	w.mu.Unlock()
	if !hung {
		_ = w.rdb.Close() // what is closed below a client is found out by a call that fails
		w.renew()
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
