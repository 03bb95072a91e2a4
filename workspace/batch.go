package workspace

import (
	"slices"

	"github.com/netspaces/netspaces/redisx"
)

// What one script stores at the most, but for at least one value.
const (
	storeBatch = 1000 // values
	storeBytes = 16 << 20
	smallText  = 4 << 10 // bytes of one that is copied to where the others are
)

// batch is values that are stored by one script, as they are sent; nobody else may change them.
type batch struct {
	texts []any // []byte or *redisx.Text
	bytes int
}

func batchOf(text []byte) batch { return batch{[]any{text}, max(len(text), 1)} }

// unsent is values to be stored, some of which may not be copied yet.
type unsent struct {
	values  []any
	encoded [][]byte // nil where a value passes as it is

	// The memory of a batch: small values, where they are, and what is sent. The next one has the same.
	place []byte
	small []redisx.Text
	texts []any
}

// encodeAll fails if one of the values does not convert.
func encodeAll(values []any) (unsent, error) {
	t := unsent{values: values}
	var e encoder
	for i, value := range values {
		text, asItIs := verbatim(value)
		if !asItIs {
			var err error
			if text, err = e.encode(value); err != nil {
				return unsent{}, err
			}
			if t.encoded == nil {
				t.encoded = make([][]byte, len(values))
			}
			t.encoded[i] = text
		}
		if err := checkSize(text); err != nil {
			return unsent{}, err
		}
	}
	return t, nil
}

func (t *unsent) value(i int) (text []byte, mine bool) {
	if t.encoded != nil && t.encoded[i] != nil {
		return t.encoded[i], true
	}
	text, _ = verbatim(t.values[i])
	return text, false
}

// cut takes the first of them, as many as one script stores. Small ones are copied to one place, so that thousands need no
// memory of their own each. The batch before must have been stored: what is on its way must not change.
func (t *unsent) cut() batch {
	n, bytes, small := t.size()
	if cap(t.place) < small {
		t.place = make([]byte, 0, small)
	}
	if t.texts == nil {
		most := min(len(t.values), storeBatch)
		t.small, t.texts = make([]redisx.Text, most), make([]any, most)
	}
	place := t.place[:0]
	for i := range n {
		value, mine := t.value(i)
		switch {
		case len(value) <= smallText:
			start := len(place)
			place = append(place, value...)
			t.small[i] = place[start:]
			t.texts[i] = &t.small[i]
		case mine:
			t.texts[i] = value
		default:
			t.texts[i] = slices.Clone(value)
		}
	}
	t.values = t.values[n:]
	if t.encoded != nil {
		t.encoded = t.encoded[n:]
	}
	return batch{t.texts[:n], bytes}
}

// size is how many of the values one script stores, how many bytes they have, and those of them that are small.
func (t *unsent) size() (n, bytes, small int) {
	for ; n < len(t.values) && n < storeBatch; n++ {
		value, _ := t.value(n)
		size := max(len(value), 1)
		if n > 0 && bytes+size > storeBytes {
			break
		}
		bytes += size
		if len(value) <= smallText {
			small += len(value)
		}
	}
	return n, bytes, small
}
