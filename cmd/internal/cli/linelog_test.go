package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

// What a worker writes without an end of line is not kept until there is one.
func TestLineLog(t *testing.T) {
	var log bytes.Buffer
	lines := &lineLog{log: slog.New(slog.NewJSONHandler(&log, nil))}
	long := strings.Repeat("x", lineBytes)
	for _, text := range []string{long, long, "y\nla", "st\nno end"} {
		fmt.Fprint(lines, text)
		if len(lines.line) > lineBytes {
			t.Errorf("%d bytes are kept", len(lines.line))
		}
	}
	var got []string
	for line := range strings.Lines(log.String()) {
		var record struct{ Msg string }
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		got = append(got, record.Msg)
	}
	if !slices.Equal(got, []string{long, long, "y", "last"}) {
		t.Errorf("%d records: %.200q", len(got), got)
	}
}
