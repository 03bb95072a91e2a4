package redisx

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// waryFor is how many batches make up for one that was cut: connecting anew costs about as much as handing these over.
	waryFor = 100

	// freshFor is how long after its last use a connection is taken to be there still. Later, go-redis looks at it first.
	freshFor = 100 * time.Millisecond
)

// wire is one connection for scripts, made anew where it broke. It can be cut while a call is under way, which go-redis
// does not offer.
type wire struct {
	client func() *redis.Client
	rdb    *redis.Client // has this connection only
	rested time.Time     // when it was last used; the batcher's mutex guards it

	// wary is for how many batches no end of a context may cut the wire, so that contexts that are shorter than it takes
	// to connect leave it usable. It belongs to who uses the wire.
	wary int

	line *line     // the shorter way over conn, once go-redis has used it; nil if it cannot be taken
	used time.Time // when a call was last answered; these two belong to who uses the wire, too

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
	w.rdb, w.wary, w.line = w.client(), 1, nil
	w.rdb.AddHook(dialHook(func(dial dialFunc) dialFunc {
		dial = lateFailure(dial)
		return func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			return w.use(&wireConn{Conn: conn}), err
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

// send runs the calls and loads the scripts that Redis does not know (after a restart, a failover or SCRIPT FLUSH). Calls
// that Redis did know have run then, and are not sent again.
func (w *wire) send(ctx context.Context, batch []*call) {
	w.roundTrip(ctx, batch)
	var missing []*call
	for _, c := range batch {
		if c.isUnknownScript() {
			c.whole = true
			missing = append(missing, c)
		}
	}
	if len(missing) > 0 {
		w.roundTrip(ctx, missing)
	}
	if err := batch[0].err; err == nil || fateOf(err) == answered {
		w.wary = max(0, w.wary-1)
	} else {
		w.wary = max(1, w.wary) // it has to connect
	}
}

// roundTrip sends the calls in one round trip. The end of ctx breaks off what go-redis does, such as to connect.
func (w *wire) roundTrip(ctx context.Context, batch []*call) {
	now := time.Now()
	if w.line != nil && now.Sub(w.used) < freshFor && !w.line.isClosed() && arePlain(batch) {
		if err := w.line.roundTrip(batch, now); err != nil || isElsewhere(batch) {
			_ = w.line.conn.Close()
			w.line = nil
			return
		}
	} else {
		process(ctx, w.rdb, batch)
		w.findLine(batch[len(batch)-1].err)
	}
	w.used = now
}

// isElsewhere says whether the server is not the master any more. Then, as go-redis does, another connection is made: the name
// of the server may be that of another one by now.
func isElsewhere(batch []*call) bool {
	for _, c := range batch {
		if c.err != nil && strings.HasPrefix(c.err.Error(), "READONLY ") {
			return true
		}
	}
	return false
}

// findLine takes the way over the connection that go-redis has just used, unless that failed.
func (w *wire) findLine(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch _, answered := err.(redis.Error); { //nolint:errorlint // Nothing wraps a reply.
	case w.conn == nil || err != nil && !answered:
		w.line = nil
	case w.line == nil || w.line.conn != w.conn:
		o := w.rdb.Options()
		w.line = newLine(w.conn, o.ReadTimeout, o.WriteTimeout)
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

// close breaks off what is under way.
func (w *wire) close() error {
	w.mu.Lock()
	if w.conn != nil {
		_ = w.conn.Close() // first: go-redis would wait for who reads from it
	}
	w.mu.Unlock()
	return w.rdb.Close()
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
