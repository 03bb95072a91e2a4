// Command bench measures netspaces beside Go programs written by hand on plain Redis commands, and beside asynq, in turn
// within one run, so that the ratios mean something on a noisy machine. README.md says how to run it and what the rows are.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/netspaces/netspaces/sleigh"
)

func main() {
	sleigh.Main() // A worker process of ours never returns from here.
	if len(os.Args) > 1 {
		helpMain(os.Args[1], os.Args[2:]) // Nor does one of theirs from here.
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return exitUsage // flag has said why
	case o.list:
		printRows(stdout, families)
		return 0
	}
	r, err := measureAll(ctx, o, stderr)
	if err == nil {
		err = r.print(stdout, o)
	}
	if err == nil && o.check {
		err = r.check()
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return exitFailed
	}
	return 0
}
