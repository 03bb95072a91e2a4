package main

import (
	"os"
	"testing"
)

// TestDocsHaveAllParts checks that docs/performance.md has a place for all that --docs puts there.
func TestDocsHaveAllParts(t *testing.T) {
	text, err := os.ReadFile("../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"rows"}
	for _, c := range curves {
		names = append(names, c.name)
	}
	for _, s := range studies {
		names = append(names, s.name)
	}
	for _, name := range names {
		if _, err := between(string(text), name, "part"); err != nil {
			t.Error(err)
		}
	}
}
