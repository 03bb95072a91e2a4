package workspace

import (
	"context"
	"errors"
	"iter"
	"time"
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
	// ask gets more.
	ask(ctx context.Context, q question, ask asking) (reply, error)
	// leave is called when the loop ends.
	leave()
}

// asking is Workspace.await or Workspace.try.
type asking func(ctx context.Context, q question, more ...any) (reply, error)

// IFind gives an iterator that reads values and leaves them there. It gives each value once and skips those that others
// have taken. A loop that takes less than some tens of microseconds for a value is given many of one round trip.
func (v Var[T]) IFind() *Iterator[T] {
	return &Iterator[T]{v: v, begin: func() feed { return &reader{} }}
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
	return it.values(ctx, it.v.ws.await)
}

// Try gives the values that are there, and ends when there are no more. Otherwise it is as All.
func (it *Iterator[T]) Try(ctx context.Context) iter.Seq2[T, error] {
	return it.values(ctx, it.v.ws.try)
}

// Reset goes back to the beginning: to the oldest value that is still there, of the variable that has this name then.
func (it *Iterator[T]) Reset() {
	it.feed, it.born, it.ended = nil, "", false
}

func (it *Iterator[T]) values(ctx context.Context, ask asking) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if it.feed == nil {
			it.feed = it.begin()
		}
		feed := it.feed
		defer feed.leave()
		for !it.ended {
			var value T
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
			r, err := feed.ask(ctx, question{variable: it.v.name, born: it.born}, ask)
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

const (
	mostAhead = 1000
	stale     = 50 * time.Microsecond // less than a round trip, so that nobody can have taken what the loop has learnt of
)

// reader is for IFind. What it has read ahead is used only while the loop is so fast that it must still be true.
type reader struct {
	seen  string   // the index up to which all was given
	ahead []string // index, value, index, value …
	n     int      // how many to read next
	given time.Time
}

func (f *reader) next() (string, bool) {
	if len(f.ahead) > 0 && time.Since(f.given) > stale {
		f.ahead, f.n = nil, 0
	}
	if len(f.ahead) == 0 {
		return "", false
	}
	return f.ahead[1], true
}

func (f *reader) accept() bool {
	f.seen, f.ahead, f.given = f.ahead[0], f.ahead[2:], time.Now()
	return true
}

func (f *reader) ask(ctx context.Context, q question, ask asking) (reply, error) {
	q.script, q.takes = followScript, "="
	f.n = min(max(2*f.n, 1), mostAhead)
	seen := f.seen
	if seen == "" {
		seen = "0"
	}
	r, err := ask(ctx, q, f.n, seen)
	if err == nil && (r.word == "VALUES" || r.word == "KEPT") {
		f.ahead = f.ahead[:0]
		for i := 1; i < len(r.rest); i++ {
			f.ahead = append(f.ahead, r.text(i))
		}
		f.given = time.Now()
	}
	return r, err
}

func (f *reader) leave() { f.ahead = nil }
