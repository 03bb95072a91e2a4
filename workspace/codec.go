package workspace

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// MaxValue is how many bytes a value may have in Redis.
const MaxValue = 64 << 20

// encode makes JSON of a value; []byte and json.RawMessage pass as they are.
func encode(value any) ([]byte, error) {
	text, asItIs := verbatim(value)
	if asItIs {
		text = bytes.Clone(text) // it may still be on its way when a call has ended with its context
	} else {
		var e encoder
		var err error
		if text, err = e.encode(value); err != nil {
			return nil, err
		}
	}
	return text, checkSize(text)
}

// verbatim gives the text of a value that passes as it is.
func verbatim(value any) (text []byte, ok bool) {
	switch v := value.(type) {
	case []byte:
		return v, true
	case json.RawMessage:
		return v, true
	}
	return nil, false
}

func checkSize(text []byte) error {
	if len(text) > MaxValue {
		return fmt.Errorf("%w: it has %d bytes, %d are allowed", ErrValue, len(text), MaxValue)
	}
	return nil
}

// encoder makes JSON of many values. Their texts share memory.
type encoder struct {
	buffer bytes.Buffer
	json   *json.Encoder
}

func (e *encoder) encode(value any) ([]byte, error) {
	const block = 64 << 10 // where a buffer grows, all that it has is copied
	if e.json == nil || e.buffer.Len() > block/2 {
		e.buffer = bytes.Buffer{}
		if e.json != nil {
			e.buffer.Grow(block)
		}
		e.json = json.NewEncoder(&e.buffer)
		e.json.SetEscapeHTML(false) // for people who look in with redis-cli
	}
	start := e.buffer.Len()
	if err := e.json.Encode(value); err != nil {
		return nil, fmt.Errorf("%w: a %T does not convert to JSON: %w", ErrValue, value, err)
	}
	text := e.buffer.Bytes()[start:]
	return text[: len(text)-1 : len(text)-1], nil // without its line feed
}

// decode is the reverse of encode; into is a pointer.
func decode(text string, into any) error {
	switch v := into.(type) {
	case *[]byte:
		*v = []byte(text)
		return nil
	case *json.RawMessage:
		*v = json.RawMessage(text)
		return nil
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("%w: %s does not convert to %T: %w", ErrValue, abridged(text), into, err)
	}
	return nil
}

func abridged(text string) string {
	const most = 60
	if len(text) <= most {
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprintf("%q… (%d bytes)", text[:most], len(text))
}
