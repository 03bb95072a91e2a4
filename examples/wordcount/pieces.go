package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode"

	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

var count = sleigh.Register("wordcount.count", func(ctx context.Context, variable string) (map[string]int, error) {
	var text bytes.Buffer
	// It is found and not fetched, since another worker needs it should this one die; the master deletes it.
	_, there, err := sleigh.WorkerFrom(ctx).User().TryFindFile(ctx, variable, &text)
	if err == nil && !there {
		err = errors.New("the piece has been counted")
	}
	return countWords(text.String()), err
})

// countWords counts words without regard to case. They are of letters, digits, and apostrophes within.
func countWords(text string) map[string]int {
	counts := map[string]int{}
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.M, unicode.N) && r != '\'' && r != '’'
	}) {
		if word = strings.Trim(word, "'’"); word != "" {
			counts[strings.ToLower(word)]++
		}
	}
	return counts
}

// pieces stores the text in pieces, each in a variable of its own, and gives the variables. As it is asked for them when there
// is room for more, the Redis never holds more than that. Where the text cannot be read or stored, it calls fail.
func pieces(ctx context.Context, user *workspace.Workspace, text *bufio.Reader, fail func(error)) iter.Seq[string] {
	return func(yield func(string) bool) {
		for n := 0; ; n++ {
			size, err := untilSpace(text)
			if err == nil {
				_, err = user.StoreFile(ctx, variableOf(n), text, size)
			}
			if err != nil && !errors.Is(err, io.EOF) {
				fail(err)
			}
			if err != nil || !yield(variableOf(n)) {
				return
			}
		}
	}
}

func variableOf(n int) string { return fmt.Sprintf("piece%d", n) }

// untilSpace returns how many bytes come before the end of the buffer's last word; all of them if it has but one.
func untilSpace(text *bufio.Reader) (int64, error) {
	there, err := text.Peek(text.Size())
	switch space := bytes.LastIndexAny(there, " \t\r\n"); {
	case len(there) == 0 || err != nil && !errors.Is(err, io.EOF):
		return 0, err
	case err == nil && space >= 0:
		return int64(space + 1), nil
	default:
		return int64(len(there)), nil
	}
}
