//go:build unix

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/examples/internal/program"
	"github.com/netspaces/netspaces/examples/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }

// write makes a file of so many words, w0 the most frequent, w1 the next, and so on, and counts them.
func write(t *testing.T, words int) (path string, counts map[string]int) {
	t.Helper()
	random := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.5, 5, 5000)
	var text strings.Builder
	counts = map[string]int{}
	for range words {
		word := fmt.Sprintf("w%d", random.Uint64())
		counts[word]++
		text.WriteString([]string{"", "(", "“", "\n\n"}[random.Uint64()%4])
		text.WriteString(strings.Replace(word, "w", []string{"w", "W"}[random.Uint64()%2], 1))
		text.WriteString([]string{" ", ", ", "\r\n", "\t–\n"}[random.Uint64()%4])
	}
	path = filepath.Join(t.TempDir(), "words.txt")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, counts
}

// lines is what the program prints of the words which are that frequent.
func lines(counts map[string]int, words ...string) string {
	var lines strings.Builder
	for _, word := range words {
		fmt.Fprintf(&lines, "%8d  %s\n", counts[word], word)
	}
	return lines.String()
}

func TestCounts(t *testing.T) {
	path, counts := write(t, 100000)
	programtest.OnBoth(t, func(t *testing.T, url string) {
		want := lines(counts, "w0", "w1", "w2")
		programtest.Start(t, "--redis", url, "--workers=3", "--top=3", "--piece=5000", path).Prints(want)
		programtest.Start(t, "--redis", url, "--workers=1", "--top=3", path).Prints(want)
		twice := maps.Clone(counts)
		for word := range twice {
			twice[word] *= 2
		}
		programtest.Start(t, "--redis", url, "--workers=2", "--top=2", "--piece=50000", path, path).Prints(lines(twice, "w0", "w1"))
	})
}

func TestWorkerKilled(t *testing.T) {
	path, counts := write(t, 300000)
	underWay := regexp.MustCompile(`\d+ of \d+ pieces, \d+ different words\r`)
	url, rdb := programtest.RedisServer(t)
	programtest.KillWorker(t, lines(counts, "w0", "w1", "w2"), underWay,
		"--redis", url, "--workers=2", "--top=3", "--piece=20000", path)
	programtest.CheckNoKeys(t, rdb)
}

func TestFewWords(t *testing.T) {
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "text")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	empty, few := write(""), write("To be, or not to be")
	programtest.Start(t, empty).Prints("")
	programtest.Start(t, "--piece=16", empty, few, few, empty).Prints("       4  be\n       4  to\n       2  not\n       2  or\n")
	programtest.Start(t, "--top=0", few).Prints("")
}

func TestCountWords(t *testing.T) {
	for text, want := range map[string]map[string]int{
		"":                          {},
		" \n–'’' ":                  {},
		"It's 'its' ITS’":           {"it's": 1, "its": 2},
		"Ärger ärger, re\u0301sume": {"ärger": 2, "re\u0301sume": 1},
		"1984 x\xffy":               {"1984": 1, "x": 1, "y": 1},
	} {
		if got := countWords(text); !maps.Equal(got, want) {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// Pieces end after a space where there is one, and together they are the text.
func TestUntilSpace(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "",
		"short":                              "short",
		"exactly sixteen.":                   "exactly |sixteen.",
		"more than sixteen":                  "more than |sixteen",
		"averyverylongwordindeed and others": "averyverylongwor|dindeed and |others",
		" \n\n\n                 x":          " \n\n\n            |     x",
	} {
		r := bufio.NewReaderSize(strings.NewReader(text), 16)
		var pieces []string
		for {
			n, err := untilSpace(r)
			if errors.Is(err, io.EOF) {
				break
			}
			piece := make([]byte, n)
			if _, err := io.ReadFull(r, piece); err != nil || n == 0 {
				t.Fatalf("%q: %d bytes, %v", text, n, err)
			}
			pieces = append(pieces, string(piece))
		}
		if got := strings.Join(pieces, "|"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestWrongUsage(t *testing.T) {
	for why, args := range map[string][]string{
		"which files?":       {},
		"--top -1: ":         {"--top=-1", "x"},
		"--piece 15: ":       {"--piece=15", "x"},
		"--piece 67108865: ": {"--piece=67108865", "x"},
		"--workers -2: ":     {"--workers=-2", "x"},
	} {
		programtest.Fails(t, program.ExitUsage, why, args...)
	}
	programtest.Fails(t, program.ExitError, "no such file", filepath.Join(t.TempDir(), "none"))
	programtest.Fails(t, program.ExitError, "is a directory", t.TempDir())
}
