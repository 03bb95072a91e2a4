package sleigh

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
)

// element is the context of a function: that of its task, and which element it is for.
type element struct {
	context.Context
	e     *execution
	index int
}

type elementKey struct{}

func (el *element) Value(key any) any {
	if key == (elementKey{}) {
		return el
	}
	return el.Context.Value(key)
}

func elementFrom(ctx context.Context) *element {
	el, _ := ctx.Value(elementKey{}).(*element)
	return el
}

// Index is the index of the element that the function which was given ctx runs for, or the rank with EachWorker; -1 outside
// of one. A function of nothing but the index runs over slices.Values(make([]struct{}, n)).
func Index(ctx context.Context) int {
	if el := elementFrom(ctx); el != nil {
		return el.index
	}
	return -1
}

// Rand returns random numbers that depend on the seed of the job and the index of the element only: they are the same
// however the elements are shared out, and whichever worker runs them. Two calls for one element give the same numbers: call
// it once. Outside of a function they are those of seed 0 and index -1.
func Rand(ctx context.Context) *rand.Rand {
	if el := elementFrom(ctx); el != nil {
		return RandOf(el.e.task.Seed, el.index)
	}
	return RandOf(0, -1)
}

// RandOf is what Rand gives for an element: ChaCha8 keyed by seed and index, little-endian, and zeros.
func RandOf(seed uint64, index int) *rand.Rand {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	binary.LittleEndian.PutUint64(key[8:], uint64(int64(index))) //nolint:gosec // Any bits do.
	return rand.New(rand.NewChaCha8(key))                        //nolint:gosec // It has to be reproducible.
}
