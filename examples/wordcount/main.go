// Command wordcount prints the most frequent words of files, counted by a team of worker processes. The files go to them in
// pieces through variables of the workspace that all share, so that workers need not see the files.
package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/netspaces/netspaces/examples/internal/program"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
	"github.com/spf13/pflag"
)

const about = `Print the most frequent words of files.

Examples:
  wordcount *.txt                       the ten most frequent ones: a worker for each core, an embedded Redis
  curl -s URL | wordcount /dev/stdin    of what comes by a pipe, however long it is
  wordcount --team demo *.txt           with workers on any machine; each: NETSPACES_TEAM=demo wordcount`

var (
	top   = pflag.Int("top", 10, "print this `number` of words")
	piece = pflag.Int("piece", 1<<20, "cut the text into pieces of up to so many `bytes`, after a space if there is one")
)

func main() {
	sleigh.Main() // A worker process never returns from here.
	(&program.Example{About: about, Check: check, Run: run}).Main()
}

func check() error {
	switch {
	case pflag.NArg() == 0:
		return errors.New("which files?")
	case *top < 0:
		return fmt.Errorf("--top %d: it must not be negative", *top)
	case *piece < 16 || *piece > workspace.MaxValue:
		return fmt.Errorf("--piece %d: it must be from 16 to %d", *piece, workspace.MaxValue)
	}
	return nil
}

func run(ctx context.Context, s *sleigh.Sleigh) error {
	var files []io.Reader
	for _, path := range pflag.Args() {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		files = append(files, file, strings.NewReader("\n"))
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	text := bufio.NewReaderSize(io.MultiReader(files...), *piece)
	job, err := count.Submit(ctx, s, pieces(ctx, s.User(), text, fail), nil)
	if err != nil {
		return err
	}
	total := map[string]int{}
	for done, err := range job.All(ctx) {
		if err == nil {
			err = s.User().DeleteVar(ctx, variableOf(done.Index))
		}
		if err != nil {
			return err
		}
		for word, n := range done.Value {
			total[word] += n
		}
		p := job.Check()
		program.Status("%d of %d pieces, %d different words", p.Done, p.Submitted, len(total))
	}
	program.Status("")
	return show(total)
}

// show prints the most frequent words.
func show(total map[string]int) error {
	words := slices.SortedFunc(maps.Keys(total), func(a, b string) int {
		return cmp.Or(cmp.Compare(total[b], total[a]), cmp.Compare(a, b))
	})
	for _, word := range words[:min(*top, len(words))] {
		if _, err := fmt.Printf("%8d  %s\n", total[word], word); err != nil {
			return err
		}
	}
	return nil
}
