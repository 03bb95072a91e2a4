package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// reading says how text from the shell becomes a value.
type reading struct {
	raw  bool // as it is
	text bool // as a JSON string, also if it is JSON
}

var errText = errors.New("it is neither JSON nor text in UTF-8; --raw stores bytes as they are")

// value gives JSON that is JSON already as it is, and makes a JSON string of other text.
func (how reading) value(text []byte) (json.RawMessage, error) {
	if how.raw || !how.text && json.Valid(text) {
		return text, nil
	}
	if !utf8.Valid(text) {
		return nil, errText
	}
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(string(text))
	return bytes.TrimSuffix(quoted.Bytes(), []byte("\n")), err
}

// printer writes values for the shell: strings as their text, other values as their JSON, each on a line of its own.
type printer struct {
	to     io.Writer
	raw    bool                     // as it is, without a newline
	json   bool                     // JSON, also for strings
	failed func(value []byte) error // gets what could not be written; nil if nobody wants it
}

// orElse is a printer that hands over to failed what it could not write.
func (p printer) orElse(failed func(value []byte) error) *printer {
	p.failed = failed
	return &p
}

// Write writes one value.
func (p *printer) Write(value []byte) (int, error) {
	line, err := value, error(nil)
	if !p.raw {
		line, err = p.line(value)
	}
	if err == nil {
		_, err = p.to.Write(line)
	}
	if err != nil && p.failed != nil {
		err = errors.Join(err, p.failed(value))
	}
	return len(value), err
}

// WriteString writes one value. Without it, a large one would come in pieces.
func (p *printer) WriteString(value string) (int, error) { return p.Write([]byte(value)) }

// line is a value with a newline.
func (p *printer) line(value []byte) ([]byte, error) {
	var text string
	switch {
	case p.json:
		line, err := jsonLine(value)
		return append(line, '\n'), err
	case bytes.HasPrefix(value, []byte{'"'}) && json.Unmarshal(value, &text) == nil:
		return append([]byte(text), '\n'), nil
	}
	return append(bytes.Clone(value), '\n'), nil
}

// jsonLine gives a value as JSON in one line. Values that were stored as other bytes are a string or, where that cannot be,
// an object with their base64.
func jsonLine(value []byte) ([]byte, error) {
	var line bytes.Buffer
	if json.Compact(&line, value) == nil {
		return line.Bytes(), nil
	}
	if utf8.Valid(value) {
		return reading{text: true}.value(value)
	}
	return json.Marshal(map[string][]byte{"base64": value})
}
