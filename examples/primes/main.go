// Command primes counts the primes below a limit with a team of worker processes that share nothing but a Redis.
// It is Listing One of the article that introduced NetWorkSpaces and Sleigh; primes.go has the part that matters.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/netspaces/netspaces/examples/internal/program"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/spf13/pflag"
)

func main() {
	sleigh.Main() // A worker process never returns from here.
	os.Exit(Run(program.UntilSignal(), os.Args[1:], os.Stdout, os.Stderr))
}

// Run runs the command line and returns the exit code.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c, flags, err := parse(args)
	if errors.Is(err, pflag.ErrHelp) {
		fmt.Fprintf(stdout, help, flags.FlagUsages())
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "primes: %v\nTry 'primes --help'.\n", err)
		return program.ExitUsage
	}
	if err = c.run(ctx, stdout, stderr); err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "primes:", err)
	return program.ExitCode(ctx, err)
}

// run computes the primes, ends the workers and prints the result.
func (c *command) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	start := time.Now()
	rdb, err := redisx.Open(ctx, c.redis, nil)
	if err != nil {
		return cmp.Or(context.Cause(ctx), err)
	}
	defer func() { err = errors.Join(err, rdb.Close()) }()
	launch := sleigh.Local(c.workers)
	switch {
	case len(c.hosts) > 0:
		launch = sleigh.SSH(c.hosts, nil)
	case c.team != "":
		launch = sleigh.Manual(c.workers)
	}
	s, err := sleigh.Start(ctx, rdb, &sleigh.Options{Name: c.team, Launch: launch})
	if err != nil {
		return cmp.Or(context.Cause(ctx), err)
	}
	bar := newProgress(stderr, c.tasks())
	primes, err := primesBelow(ctx, s, c.parameters, bar.show)
	bar.clear()
	took := time.Since(start)

	// After Ctrl-C too the workers have to end, and the keys to go.
	stopErr := s.Stop(context.WithoutCancel(ctx))
	if stopErr != nil {
		stopErr = fmt.Errorf("stopping the workers: %w", stopErr)
	}
	if err != nil {
		err = cmp.Or(context.Cause(ctx), err)
	} else {
		err = c.print(stdout, primes, took, rdb.String())
	}
	return errors.Join(err, stopErr)
}
