package sleigh

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// results keeps what came of elements until somebody asks for it.
type results[R any] struct {
	mu       sync.Mutex
	changed  *sync.Cond
	queue    []arrival[R]
	bytes    int                // of it
	early    map[int]arrival[R] // what has come before its turn
	order    []int              // the indexes that come; nil: all from 0 on
	turn     int                // how many of them have been given
	ended    bool
	stopped  bool      // the job is over, or to be
	gathered bool      // Wait has them
	streamed bool      // All has some
	full     time.Time // since when take waits for All to ask for more; zero if it does not

	used  func(i int)      // called with each element whose result was used; nil if nobody wants to know
	mine  func() bool      // whether results may be used now; nil: they always may
	given int              // one more than the index of the one that All has now; 0: none
	past  func(i int) bool // whether an element was given by another master; nil: none was
}

type arrival[R any] struct {
	Result[R]
	err  *TaskError
	size int // bytes of its text
}

// failure is the error of an element that failed.
func (a arrival[R]) failure() error {
	if a.err == nil {
		return nil
	}
	return a.err
}

// What is kept for a loop that does not ask for it.
const (
	mostKept        = 10000
	mostResultBytes = 64 << 20
)

func newResults[R any]() *results[R] {
	q := &results[R]{early: map[int]arrival[R]{}}
	q.changed = sync.NewCond(&q.mu)
	return q
}

func (q *results[R]) take(r *result, skip func(i int) bool) error {
	all, errs := decodeAll[R](r.Values, r.N)
	q.mu.Lock()
	defer q.mu.Unlock()
	size := len(r.Values) / r.N
	for k := range r.N {
		i := r.First + k
		if skip(i) {
			continue
		}
		if err := errs[k]; err != nil {
			return fmt.Errorf("the result of element %d does not convert: %w", i, err)
		}
		q.queue = append(q.queue, arrival[R]{Result: Result[R]{i, all[k], r.Worker}, size: size})
		q.bytes += size
	}
	q.changed.Broadcast()
	for q.streamed && (len(q.queue) > mostKept || q.bytes > mostResultBytes) && !q.stopped {
		if q.full.IsZero() {
			q.full = time.Now()
		}
		q.changed.Wait()
	}
	q.full = time.Time{}
	return nil
}

func (q *results[R]) fail(e *TaskError) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = append(q.queue, arrival[R]{Result: Result[R]{Index: e.Index, Worker: e.Worker}, err: e})
	q.changed.Broadcast()
}

func (q *results[R]) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = true
	q.changed.Broadcast()
}

func (q *results[R]) last() error { return nil }

func (q *results[R]) report(used func(i int), mine func() bool) { q.used, q.mine = used, mine }

func (q *results[R]) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.changed.Broadcast()
}

// isHeld reports whether what has come must wait: another master may have it by now. q.mu is held.
func (q *results[R]) isHeld() bool { return q.mine != nil && !q.stopped && !q.mine() }

func (q *results[R]) resume(past func(i int) bool) { q.past = past }

func (q *results[R]) gathers() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.gathered
}

// heldUp says how many results wait for whoever wants them, and since when that keeps the job from going on; zero if it does not.
func (q *results[R]) heldUp() (waiting int, since time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.queue) + len(q.early), q.full
}

// end says that no more comes.
func (q *results[R]) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	q.changed.Broadcast()
}

// gather reserves all that comes for Wait, or gives that up again; false if it is too late.
func (q *results[R]) gather(yes bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if yes && (q.gathered || q.streamed) {
		return false
	}
	q.gathered = yes
	return true
}

// stream is the same for All, which may go on where it left off.
func (q *results[R]) stream() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.streamed = q.streamed || !q.gathered
	return q.streamed
}

// next waits for what comes next. Without ok nothing more does, or ctx has ended, which is the error.
func (q *results[R]) next(ctx context.Context, ordered bool) (a arrival[R], ok bool, err error) {
	if q.given > 0 && q.used != nil {
		q.used(q.given - 1)
	}
	defer func() {
		if q.given = 0; ok {
			q.given = a.Index + 1
		}
	}()
	unwatch := context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.changed.Broadcast()
	})
	defer unwatch()
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if q.used != nil && (q.stopped || ctx.Err() != nil) {
			return a, false, context.Cause(ctx) // what was used after that, Redis would not know
		}
		if q.isHeld() {
			q.changed.Wait()
			continue
		}
		switch a, ok = q.pop(ordered); {
		case ok:
			return a, true, nil
		case ctx.Err() != nil:
			return a, false, context.Cause(ctx)
		case q.ended:
			return a, false, nil
		}
		q.changed.Wait()
	}
}

// pop gives what comes next, if it is there. q.mu is held.
func (q *results[R]) pop(ordered bool) (a arrival[R], ok bool) {
	for ordered {
		for q.past != nil && q.past(q.turn) {
			q.turn++
		}
		i := q.turn
		if q.turn < len(q.order) {
			i = q.order[q.turn]
		}
		if a, ok = q.early[i]; ok {
			delete(q.early, i)
			q.turn++
			return a, true
		}
		if len(q.queue) == 0 {
			return a, false
		}
		q.early[q.queue[0].Index] = q.queue[0]
		q.drop()
	}
	if len(q.queue) == 0 {
		return a, false
	}
	a = q.queue[0]
	q.drop()
	return a, true
}

// drop takes the first one out of the queue.
func (q *results[R]) drop() {
	q.bytes -= q.queue[0].size
	q.queue = q.queue[1:]
	if len(q.queue) == 0 {
		q.queue = nil
	}
	q.changed.Broadcast()
}

// into puts what has come into all, which it belongs to.
func (q *results[R]) into(all []R) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, a := range q.queue {
		all[a.Index] = a.Value
	}
	q.queue = nil
}
