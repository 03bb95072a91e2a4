package sleigh

import (
	"context"
	"sync"
	"time"
)

const (
	sendEvery = 100 * time.Millisecond // a worker stores its lines, unless there are many
	mostBytes = 1 << 20                // of lines that wait in a worker
	lastWords = time.Second            // a worker that leaves tries so long to store its lines
)

// outbox brings the lines of one worker to Redis, in their order. Who prints them never waits for that: where they come
// faster than Redis takes them, or it is away, the oldest are dropped and counted.
type outbox struct {
	page   func(before, left int, lines []printed) (text []byte, n int)
	store  func(ctx context.Context, text []byte) error
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	waiting []printed
	bytes   int           // of these
	left    int           // lines that were dropped before them
	total   int           // lines ever
	timer   *time.Timer   // of the next time to send; nil if there is nothing or it is being sent
	sending chan struct{} // closed when nothing is being sent any more; nil if nothing is
	hurry   bool          // send until nothing waits
	sent    time.Time
	failing bool // Redis did not take the last ones
	closed  bool
}

func newOutbox(w *Worker) *outbox {
	return outboxOf(
		func(before, left int, lines []printed) ([]byte, int) {
			return pageOf(w.rank, w.host, w.own.Client(), before, left, lines)
		},
		func(ctx context.Context, text []byte) error { return storePage(ctx, w.own, w.lasts, text) })
}

func outboxOf(page func(before, left int, lines []printed) ([]byte, int), store func(context.Context, []byte) error) *outbox {
	o := &outbox{page: page, store: store}
	o.ctx, o.cancel = context.WithCancel(context.Background())
	return o
}

func (o *outbox) add(p printed) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	if p.At.IsZero() {
		p.At = time.Now()
	}
	o.total++
	o.waiting = append(o.waiting, p)
	o.bytes += p.size()
	for o.bytes > mostBytes {
		o.take(1)
		o.left++
	}
	o.sendSoon()
}

// take takes the first lines that wait. o.mu is held.
func (o *outbox) take(n int) {
	for i := range n {
		o.bytes -= o.waiting[i].size()
		o.waiting[i] = printed{}
	}
	o.waiting = o.waiting[n:]
	if len(o.waiting) == 0 {
		o.waiting = nil
	}
}

// lines is how many there were ever. Those that wait are on their way soon.
func (o *outbox) lines() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.total
}

// flush has what waits be sent at once. It does not wait for that.
func (o *outbox) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.failing {
		o.sendNow()
	}
}

// sendSoon sends what waits, but not too often. o.mu is held.
func (o *outbox) sendSoon() {
	pause := sendEvery
	if o.failing {
		pause = retryPause
	}
	switch {
	case len(o.waiting) == 0 && o.left == 0 || o.sending != nil:
	case o.bytes >= pageBytes && !o.failing:
		o.sendNow()
	case o.timer == nil:
		o.timer = time.AfterFunc(pause-time.Since(o.sent), func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.sendNow()
		})
	}
}

// sendNow sends what waits. o.mu is held.
func (o *outbox) sendNow() {
	if o.timer != nil {
		o.timer.Stop()
		o.timer = nil
	}
	if len(o.waiting) == 0 && o.left == 0 {
		return
	}
	o.hurry = true
	if o.sending == nil {
		o.sending = make(chan struct{})
		go o.send()
	}
}

// send sends pages, one after the other.
func (o *outbox) send() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.failing = false; !o.failing && (o.hurry || o.bytes >= pageBytes); {
		left := o.left
		text, n := o.page(o.total-len(o.waiting), left, o.waiting)
		o.take(n)
		o.left = 0
		o.mu.Unlock()
		err := o.store(o.ctx, text)
		o.mu.Lock()
		o.sent = time.Now()
		if err != nil { // some of them may be there all the same
			o.left += left + n
			o.failing = true
		}
		if isOver(err) { // there is nobody left to read them
			o.closed, o.waiting, o.bytes, o.left = true, nil, 0, 0
		}
		if len(o.waiting) == 0 {
			o.hurry = false
		}
	}
	close(o.sending)
	o.sending, o.hurry = nil, false
	if !o.closed {
		o.sendSoon()
	}
}

// close sends what waits, but does not wait long for that.
func (o *outbox) close() {
	o.mu.Lock()
	o.closed = true
	o.sendNow()
	sending := o.sending
	o.mu.Unlock()
	defer o.cancel()
	if sending == nil {
		return
	}
	select {
	case <-sending:
	case <-time.After(lastWords):
		o.cancel()
		<-sending
	}
}
