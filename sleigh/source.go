package sleigh

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"sync"
)

var errSequence = errors.New("the sequence of elements did not return: it panicked or ended its goroutine")

// source is where a job gets its elements from.
type source interface {
	// pull gets elements until there are no more or ctx ends, in a goroutine of its own. It calls changed after each change.
	// What the caller's context has cut off is not at its end; ctx, which comes from that one, ends a moment later.
	pull(ctx, caller context.Context, changed func()) error
	// take gives up to n elements that are there, as a JSON array, and errors for those that do not convert, by their place.
	// 0 elements and true: there will be no more.
	take(n int) (text json.RawMessage, count int, errs map[int]error, ended bool)
	// ahead says how many elements should be there.
	ahead(n int)
	// starved reports whether there is no element and more are to come.
	starved() bool
	// panicked is what the sequence panicked with.
	panicked() any
}

// sequence is a source over a sequence, of which no more is pulled than is needed soon.
type sequence[A any] struct {
	elems iter.Seq[A]

	mu     sync.Mutex
	room   *sync.Cond
	there  []A
	limit  int
	ended  bool
	closed bool
	panic  any
}

func newSequence[A any](elems iter.Seq[A]) *sequence[A] {
	q := &sequence[A]{elems: elems, limit: 1}
	q.room = sync.NewCond(&q.mu)
	return q
}

func (q *sequence[A]) pull(ctx, caller context.Context, changed func()) (err error) {
	unwatch := context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.closed = true
		q.room.Broadcast()
	})
	defer unwatch()
	err = errSequence // unless it returns
	defer func() {
		q.mu.Lock()
		q.ended, q.panic = err == nil, recover()
		q.mu.Unlock()
		changed()
	}()
	for elem := range q.elems {
		if !q.put(elem, changed) {
			break
		}
	}
	err = context.Cause(caller)
	return err
}

// put waits for room; false if there will be none.
func (q *sequence[A]) put(elem A, changed func()) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.there = append(q.there, elem); len(q.there) == 1 {
		changed()
	}
	for len(q.there) >= q.limit && !q.closed {
		q.room.Wait()
	}
	return !q.closed
}

func (q *sequence[A]) take(n int) (text json.RawMessage, count int, errs map[int]error, ended bool) {
	q.mu.Lock()
	n = min(n, len(q.there))
	elems := q.there[:n:n]
	if q.there = q.there[n:]; len(q.there) == 0 {
		q.there = nil
	}
	ended = q.ended && len(q.there) == 0
	q.room.Signal()
	q.mu.Unlock()
	if n > 0 {
		text, errs = encodeAll(elems)
	}
	return text, n, errs, ended
}

func (q *sequence[A]) ahead(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.limit = n
	q.room.Signal()
}

func (q *sequence[A]) starved() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.there) == 0 && !q.ended && !q.closed
}

func (q *sequence[A]) panicked() any {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.panic
}
