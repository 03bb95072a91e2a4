package main

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"os"
	"time"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/workspace"
	"github.com/spf13/cobra"
)

// giveBackWithin is how long a value that could not be written is tried to be stored again.
const giveBackWithin = 5 * time.Second

// take is the command fetch, or find, which leaves the values where they are.
type take struct {
	remove           bool
	try, follow, raw bool
	count            int
	file             string
}

func newFetch() *cobra.Command {
	t := &take{remove: true}
	return t.define(&cobra.Command{
		Use:        "fetch WS VAR",
		SuggestFor: []string{"get", "take", "pop"},
		Short:      "Take a value out of a variable, and wait until there is one",
		Example: `  nws fetch jobs todo
  nws fetch jobs todo --try || echo "nothing to do"
  nws fetch jobs todo --timeout 10s
  nws fetch jobs todo --follow | while read -r job; do echo "doing $job"; done
  nws fetch films dune --try --follow --file dune.mkv   # all pieces of a file`,
		Long: `A string is printed as its text, any other value as its JSON; with --json, strings are JSON too.
One that could not be written goes back. What a pipe has taken over is gone, whether or not it is read.

A value goes to one of those who fetch it: to the one that has waited longest.`,
	})
}

func newFind() *cobra.Command {
	t := &take{}
	return t.define(&cobra.Command{
		Use:        "find WS VAR",
		SuggestFor: []string{"get", "read", "peek"},
		Short:      "Read a value of a variable, and wait until there is one",
		Example: `  nws find weather temperature
  nws find weather temperature --timeout 10s
  nws find weather station --json | jq .height
  nws find weather temperature --follow       # each value as it comes
  nws find weather temperature --try -n 100   # those that are there`,
		Long: `A string is printed as its text, any other value as its JSON; with --json, strings are JSON too.
The values stay. Which one it is, the mode of the variable says: fifo the oldest, lifo the youngest, single the latest,
multi any.`,
	})
}

func (t *take) define(cmd *cobra.Command) *cobra.Command {
	cmd.Args = cli.Args
	cmd.ValidArgsFunction = completeNames()
	cmd.RunE = lookInto(t.check, t.run)
	if t.remove {
		cmd.RunE = inWorkspace(false, t.check, t.run)
	}
	flags := cmd.Flags()
	flags.BoolVar(&t.try, "try", false, "do not wait: exit code 3 if there is nothing")
	flags.IntVarP(&t.count, "count", "n", 1, "up to so many values: those that are there, at least one")
	flags.BoolVar(&t.follow, "follow", false, "one after the other, until the variable is deleted; "+
		"with -n so many, with --try those that are there")
	flags.BoolVar(&t.raw, "raw", false, "bytes as they are in Redis, without a newline")
	flags.StringVar(&t.file, "file", "", "write to this `FILE` instead of stdout, as with --raw")
	_ = cmd.MarkFlagFilename("file")
	return cmd
}

// check finds what does not go together on the command line.
func (t *take) check(r *cli.Run, _ []string) error {
	if r.JSON && (t.raw || t.file != "") {
		return cli.Usagef("--json does not go with --raw or --file")
	}
	if t.count < 1 {
		return cli.Usagef("-n %d: at least 1", t.count)
	}
	if t.follow && !r.Command.Flags().Changed("count") {
		t.count = 0
	}
	return nil
}

func (t *take) run(ctx context.Context, r *cli.Run, ws *workspace.Workspace, args []string) (err error) {
	to := &printer{to: r.Stdout, raw: t.raw, json: r.JSON}
	if t.file != "" && t.file != "-" {
		file := &lateFile{name: t.file}
		defer func() { err = errors.Join(err, file.Close()) }()
		to = &printer{to: file, raw: true}
	} else if t.file == "-" {
		to.raw = true
	}
	n := 0
	switch {
	case t.follow:
		n, err = t.iterate(ctx, ws, args[0], to)
	case t.remove || t.count == 1:
		n, err = t.one(ctx, ws, args[0], to)
		for err == nil && n > 0 && n < t.count {
			var more bool
			if _, more, err = ws.TryFetchFile(ctx, args[0], to); !more {
				break
			}
			n++
		}
	default:
		n, err = t.some(ctx, ws, args[0], to)
	}
	if err == nil && n == 0 && t.try {
		return cli.ErrNothing
	}
	return err
}

// one is for one value of a variable of any mode. It returns how many there were.
func (t *take) one(ctx context.Context, ws *workspace.Workspace, name string, to *printer) (int, error) {
	there, err := true, error(nil)
	switch {
	case t.remove && t.try:
		_, there, err = ws.TryFetchFile(ctx, name, to)
	case t.remove:
		_, err = ws.FetchFile(ctx, name, to)
	case t.try:
		_, there, err = ws.TryFindFile(ctx, name, to)
	default:
		_, err = ws.FindFile(ctx, name, to)
	}
	if !there || err != nil {
		return 0, err
	}
	return 1, nil
}

// some finds the first value, waiting for it unless it only tries, and then those that are there.
func (t *take) some(ctx context.Context, ws *workspace.Workspace, name string, to *printer) (int, error) {
	values := workspace.NewVar[json.RawMessage](ws, name).IFind()
	n := 0
	if !t.try {
		for value, err := range values.All(ctx) {
			if err == nil {
				_, err = to.Write(value)
			}
			if err != nil {
				return n, err
			}
			n++
			break
		}
	}
	if n == t.count {
		return n, nil
	}
	more, err := write(values.Try(ctx), t.count-n, to)
	return n + more, err
}

// iterate goes on until the variable is deleted, or until there were as many values as wanted.
func (t *take) iterate(ctx context.Context, ws *workspace.Workspace, name string, to *printer) (int, error) {
	v := workspace.NewVar[json.RawMessage](ws, name)
	values := v.IFind()
	if t.remove {
		values = v.IFetch()
		to = to.orElse(func(value []byte) error {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackWithin)
			defer cancel()
			return v.Store(ctx, value)
		})
	}
	if t.try {
		return write(values.Try(ctx), t.count, to)
	}
	return write(values.All(ctx), t.count, to)
}

// write writes up to so many values, or all if most is 0, and returns how many.
func write(values iter.Seq2[json.RawMessage, error], most int, to *printer) (n int, err error) {
	for value, err := range values {
		if err == nil {
			_, err = to.Write(value)
		}
		if err != nil {
			return n, err
		}
		if n++; n == most {
			break
		}
	}
	return n, nil
}

// lateFile is a file that is made, or overwritten, by the first write: not before there is a value.
type lateFile struct {
	name string
	file *os.File
}

func (f *lateFile) Write(data []byte) (n int, err error) {
	if f.file == nil {
		if f.file, err = os.Create(f.name); err != nil {
			return 0, err
		}
	}
	return f.file.Write(data)
}

func (f *lateFile) Close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}
