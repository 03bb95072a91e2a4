package workspace

import (
	"bytes"
	"strings"
)

// What one script stores at the most, but for at least one value.
const (
	storeBatch = 1000 // values
	storeBytes = 16 << 20
	smallText  = 4 << 10 // bytes of one that is copied to where the others are
)

// batch is values that are stored by one script, as they are sent; nobody else may change them.
type batch struct {
	texts []any // []byte or *string
	bytes int
}

func batchOf(text []byte) batch { return batch{[]any{text}, max(len(text), 1)} }

// unsent is values to be stored, some of which may not be copied yet.
type unsent struct {
	values  []any
	encoded [][]byte // nil where a value passes as it is
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

func (t *unsent) text(i int) (text []byte, mine bool) {
	if t.encoded != nil && t.encoded[i] != nil {
		return t.encoded[i], true
	}
	text, _ = verbatim(t.values[i])
	return text, false
}

// cut takes the first of them, as many as one script stores. Small ones are copied to one place, so that thousands need no
// memory of their own each.
func (t *unsent) cut() batch {
	var b batch
	n, small := 0, 0
	for ; n < len(t.values) && n < storeBatch; n++ {
		text, _ := t.text(n)
		size := max(len(text), 1)
		if n > 0 && b.bytes+size > storeBytes {
			break
		}
		b.bytes += size
		if len(text) <= smallText {
			small += len(text)
		}
	}
	var place strings.Builder
	place.Grow(small)
	copies := make([]string, n)
	b.texts = make([]any, n)
	for i := range n {
		text, mine := t.text(i)
		switch {
		case len(text) <= smallText:
			start := place.Len()
			place.Write(text)
			copies[i] = place.String()[start:]
			b.texts[i] = &copies[i]
		case mine:
			b.texts[i] = text
		default:
			b.texts[i] = bytes.Clone(text)
		}
	}
	t.values = t.values[n:]
	if t.encoded != nil {
		t.encoded = t.encoded[n:]
	}
	return b
}
