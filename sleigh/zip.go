package sleigh

import (
	"context"
	"iter"
)

// Pair is an element of two varying arguments.
type Pair[A, B any] struct {
	First  A
	Second B
}

// Recycle pairs the values of two slices for a function of two varying arguments. The shorter one begins again where it
// ends, as in the original; even is false if its length does not divide that of the longer one, which is seldom meant. If
// one is empty there are no pairs.
func Recycle[A, B any](as []A, bs []B) (pairs iter.Seq[Pair[A, B]], even bool) {
	long, short := max(len(as), len(bs)), min(len(as), len(bs))
	if short == 0 {
		return func(func(Pair[A, B]) bool) {}, long == 0
	}
	return func(yield func(Pair[A, B]) bool) {
		for i := range long {
			if !yield(Pair[A, B]{as[i%len(as)], bs[i%len(bs)]}) {
				return
			}
		}
	}, long%short == 0
}

// Fixed pairs each element with an argument that is the same for all. It travels with each of them: Export is for large ones.
func Fixed[A, B any](elems iter.Seq[A], fixed B) iter.Seq[Pair[A, B]] {
	return func(yield func(Pair[A, B]) bool) {
		for a := range elems {
			if !yield(Pair[A, B]{a, fixed}) {
				return
			}
		}
	}
}

// FromChannel gives what comes out of a channel, until it is closed or ctx ends.
func FromChannel[A any](ctx context.Context, elems <-chan A) iter.Seq[A] {
	return func(yield func(A) bool) {
		for {
			select {
			case elem, ok := <-elems:
				if !ok || !yield(elem) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}
