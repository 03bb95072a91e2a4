package workspace

import (
	"context"
	"errors"
	"iter"
)

// Iterator goes through the values of a variable, the oldest first. It remembers where it is: All or Try after the end goes
// on with what came since. It is for one goroutine; several iterators of a variable do not know of each other.
//
// Variables of mode lifo and multi have no order to go through: ErrIterate. In mode single, each value that is there when
// it is looked for is given once; those overwritten before are not seen. When the variable is deleted, its iterators end
// without an error and stay ended until Reset, also if a variable of that name is made again.
type Iterator[T any] struct {
	v     Var[T]
	begin func() feed

	feed  feed
	born  string // the variable's incarnation, once it is known
	ended bool   // it was deleted
}

// feed is where an iterator has its values from: reader or taker.
type feed interface {
	// next gives a value that was got before and may still be used, until it is accepted.
	next() (string, bool)
	// accept is false if it went back meanwhile.
	accept() bool
	// ask gets more, and waits for it if it is to.
	ask(ctx context.Context, q question, wait bool) (reply, error)
	// leave is called when the loop ends.
	leave()
}

// IFind gives an iterator that reads values and leaves them there. It gives each value once and skips those that others
// have taken. A loop that takes less than some tens of microseconds for a value is given many of one round trip.
func (v Var[T]) IFind() *Iterator[T] {
	return &Iterator[T]{v: v, begin: func() feed { return newReader(v.ws) }}
}

// IFetch gives an iterator that takes values. Each goes to one of those who iterate or fetch. A fast loop takes some values
// in one round trip, as many as it uses up in about two milliseconds; what it does not come to goes back when the loop is
// left, or is held up. Values that were taken die with the process, as with Fetch; Claim is the verb for what must not.
func (v Var[T]) IFetch() *Iterator[T] {
	return &Iterator[T]{v: v, begin: func() feed { return &taker{ws: v.ws} }}
}

// All gives values as they come, and waits for more. It ends with an error when ctx ends, and without one when the variable
// is deleted. Its errors are those of Fetch and Find, and ErrIterate; it ends at the first.
func (it *Iterator[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return it.values(ctx, true)
}

// Try gives the values that are there, and ends when there are no more. Otherwise it is as All.
func (it *Iterator[T]) Try(ctx context.Context) iter.Seq2[T, error] {
	return it.values(ctx, false)
}

// Reset goes back to the beginning: to the oldest value that is still there, of the variable that has this name then.
func (it *Iterator[T]) Reset() {
	it.feed, it.born, it.ended = nil, "", false
}

func (it *Iterator[T]) values(ctx context.Context, wait bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if it.feed == nil {
			it.feed = it.begin()
		}
		feed := it.feed
		defer feed.leave()
		var value, zero T
		for !it.ended {
			value = zero
			text, ok := feed.next()
			if ok {
				if err := decode(text, &value); err != nil {
					yield(value, it.v.ws.wrap(it.v.name, err))
					return
				}
				if feed.accept() && !yield(value, nil) {
					return
				}
				continue
			}
			r, err := feed.ask(ctx, question{variable: it.v.name, born: it.born}, wait)
			switch {
			case errors.Is(err, ErrVarDeleted):
				it.ended = true
			case err != nil:
				yield(value, err)
				return
			default:
				it.born = r.text(0)
				if r.word == "EMPTY" {
					return
				}
			}
		}
	}
}
