package workspacetest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// items are what NetWorkSpaces promises of workspaces, variables, iterators and files: a letter, and how many there are.
var items = map[string]int{"W": 9, "V": 10, "I": 6, "F": 3}

var namedTest = regexp.MustCompile(`(?m)^\t\{"([WVIF]\d+)[A-Z]\w*", \w+\},$`)

// Each item has tests that carry its number.
func TestEachItemHasATest(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, match := range namedTest.FindAllStringSubmatch(string(text), -1) {
			found[match[1]]++
		}
	}
	var missing []string
	for letter, n := range items {
		for i := range n {
			if item := letter + strconv.Itoa(i+1); found[item] == 0 {
				missing = append(missing, item)
			}
			delete(found, letter+strconv.Itoa(i+1))
		}
	}
	if slices.Sort(missing); len(missing) > 0 {
		t.Errorf("no test for %q", missing)
	}
	if len(found) > 0 {
		t.Errorf("tests of items that are not there: %v", found)
	}
}
