package main

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/workspace"
)

func TestReadLine(t *testing.T) {
	long := strings.Repeat("x", 40)
	for text, want := range map[string][]string{
		"":                                nil,
		"a\n\nb":                          {"a\n", "\n", "b"},
		long + "\n" + long:                {long + "\n", long},
		"a\n" + long + "x\n" + "b\n":      {"a\n", "too long"},
		"a\n" + long + long + long:        {"a\n", "too long"},
		strings.Repeat(long+"\n", 2) + "": {long + "\n", long + "\n"},
	} {
		in := bufio.NewReaderSize(strings.NewReader(text), 16)
		var got []string
		for {
			line, err := readLine(in, len(long))
			if errors.Is(err, workspace.ErrValue) {
				got = append(got, "too long")
				break
			}
			if len(line) > 0 {
				got = append(got, string(line))
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
