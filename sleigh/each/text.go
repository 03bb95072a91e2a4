package each

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// text is bytes that travel as JSON: as a string where that keeps them, which can be read with redis-cli, else in base64.
type text string

// encoded is how bytes travel that are not a string.
type encoded struct {
	Base64 []byte `json:"base64"`
}

// MarshalJSON is for encoding/json.
func (t text) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(t)) && escaped(string(t)) <= len(t)/3+64 {
		return json.Marshal(string(t))
	}
	return json.Marshal(encoded{[]byte(t)})
}

// UnmarshalJSON is for encoding/json.
func (t *text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(t))
	}
	var e encoded
	if err := json.Unmarshal(b, &e); err != nil {
		return fmt.Errorf("neither text nor base64: %w", err)
	}
	*t = text(e.Base64)
	return nil
}

// escaped is by how many bytes a string grows as JSON, so that what is mostly escapes does not.
func escaped(s string) (more int) {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"', c == '\\', c == '\n', c == '\r', c == '\t', c == '\b', c == '\f':
			more++
		case c < ' ', c == '<', c == '>', c == '&':
			more += 5
		case c == 0xE2: // U+2028 and U+2029 begin so
			more += 3
		}
	}
	return more
}

func texts(ss []string) []text {
	ts := make([]text, len(ss))
	for i, s := range ss {
		ts[i] = text(s)
	}
	return ts
}
