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
	var text []byte
	switch v := value.(type) {
	case []byte:
		text = bytes.Clone(v) // it may still be on its way when a call has ended with its context
	case json.RawMessage:
		text = bytes.Clone(v)
	default:
		var buffer bytes.Buffer
		encoder := json.NewEncoder(&buffer)
		encoder.SetEscapeHTML(false) // for people who look in with redis-cli
		if err := encoder.Encode(value); err != nil {
			return nil, fmt.Errorf("%w: a %T does not convert to JSON: %w", ErrValue, value, err)
		}
		text = bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))
	}
	if len(text) > MaxValue {
		return nil, fmt.Errorf("%w: it has %d bytes, %d are allowed", ErrValue, len(text), MaxValue)
	}
	return text, nil
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
