package workspace

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// encode makes JSON of a value; []byte and json.RawMessage pass as they are.
func encode(value any) ([]byte, error) {
	switch v := value.(type) {
	case []byte:
		return v, nil
	case json.RawMessage:
		return v, nil
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // for people who look in with redis-cli
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("%w: a %T does not convert to JSON: %w", ErrValue, value, err)
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
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
