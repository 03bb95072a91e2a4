package sleigh

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
)

var errMissing = errors.New("it is missing")

// encodeAll converts values to a JSON array. The errors, nil where there are none, are by index; null stands for those values.
func encodeAll[T any](values []T) (json.RawMessage, map[int]error) {
	if reflect.TypeFor[T]().Kind() != reflect.Uint8 { // which JSON would make one text
		if text, err := json.Marshal(values); err == nil && len(values) > 0 {
			return text, nil
		}
	}
	var errs map[int]error
	text := []byte{'['}
	for i, value := range values {
		one, err := json.Marshal(value)
		if err != nil {
			if errs == nil {
				errs = map[int]error{}
			}
			errs[i], one = err, []byte("null")
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, one...)
	}
	return append(text, ']'), errs
}

// decodeAll converts a JSON array to n values. The errors are by index.
func decodeAll[T any](text json.RawMessage, n int) ([]T, map[int]error) {
	values := make([]T, 0, n)
	if reflect.TypeFor[T]().Kind() != reflect.Uint8 {
		if err := json.Unmarshal(text, &values); err == nil && len(values) == n && !bytes.Equal(text, []byte("null")) {
			return values, nil
		}
	}
	values = make([]T, n)
	texts, err := split(text)
	errs := map[int]error{}
	for i := range values {
		switch {
		case err != nil:
			errs[i] = err
		case i >= len(texts):
			errs[i] = errMissing
		default:
			if err := json.Unmarshal(texts[i], &values[i]); err != nil {
				errs[i] = err
			}
		}
	}
	if len(errs) == 0 {
		return values, nil
	}
	return values, errs
}

// split takes a JSON array apart.
func split(text json.RawMessage) (texts []json.RawMessage, err error) {
	return texts, json.Unmarshal(text, &texts)
}

// joinTexts puts a JSON array together.
func joinTexts(texts []json.RawMessage) json.RawMessage {
	return append(append([]byte{'['}, bytes.Join(asBytes(texts), []byte{','})...), ']')
}

func asBytes(texts []json.RawMessage) [][]byte {
	all := make([][]byte, len(texts))
	for i, text := range texts {
		all[i] = text
	}
	return all
}
