// Command primes counts the primes below a limit with a team of worker processes that share nothing but a Redis.
// It is Listing One of the article that introduced NetWorkSpaces and Sleigh; primes.go has the part that matters.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/netspaces/netspaces/examples/internal/program"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/spf13/pflag"
)

const help = `Count the primes below a limit with a team of worker processes that share nothing but a Redis.

Examples:
  primes                                the primes below 2000000: a worker for each core, an embedded Redis
  primes --limit 10000000 --workers 2   further, with two workers
  primes --redis local://               on a private redis-server that ends with the program
  primes --redis redis://host:6379/0    on a Redis that others use too
  primes --json | jq .count             one JSON object, for other programs
  primes --team demo --workers 8        with workers on any machine; each: NETSPACES_TEAM=demo primes

Usage: primes [flags]

%s
Exit codes: 0 done, 1 error, 2 wrong usage, 4 no Redis, 130 after Ctrl-C.
`

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

// A command is what the command line asks for.
type command struct {
	parameters
	workers int
	team    string
	redis   string
	json    bool
}

// parse reads the command line; every error but pflag.ErrHelp is wrong usage.
func parse(args []string) (*command, *pflag.FlagSet, error) {
	c, flags := &command{}, pflag.NewFlagSet("primes", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.Usage = func() {} // Run prints the help.
	flags.IntVar(&c.Limit, "limit", 2000000, "count the primes below this `number`")
	flags.IntVar(&c.Chunk, "chunk", 10000, "cut the numbers into chunks of this even `length`, each an element of the job")
	flags.IntVar(&c.workers, "workers", runtime.GOMAXPROCS(0),
		"start this `number` of worker processes, by default one for each core")
	flags.StringVar(&c.team, "team", "",
		"start none, but wait for that number of workers which are started elsewhere, with\n"+
			"REDIS_URL and NETSPACES_TEAM set to this `name`")
	flags.StringVar(&c.redis, "redis", "", "`URL` of the Redis: redis://, rediss://, unix://, local:// or mem://;\n"+
		"by default $REDIS_URL, or where that is not set mem://, the embedded one;\n"+
		"one with a password belongs into $REDIS_URL, since others see the command line")
	flags.BoolVar(&c.json, "json", false, "print one JSON object")
	if err := flags.Parse(args); err != nil {
		return c, flags, err
	}
	// $REDIS_URL is not the flag's default because the help shows defaults, and it may hold a password.
	if !flags.Changed("redis") {
		c.redis = os.Getenv("REDIS_URL")
	}
	switch {
	case flags.NArg() > 0:
		return c, flags, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case c.Limit < 0:
		return c, flags, fmt.Errorf("--limit %d: it must not be negative", c.Limit)
	case c.Chunk < 2 || c.Chunk%2 != 0:
		return c, flags, fmt.Errorf("--chunk %d: it must be even and at least 2", c.Chunk)
	case c.workers < 1:
		return c, flags, fmt.Errorf("--workers %d: it must be at least 1", c.workers)
	}
	return c, flags, nil
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
	if c.team != "" {
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

// print writes the result as one line of text or JSON.
func (c *command) print(w io.Writer, primes []int, took time.Duration, redis string) error {
	if !c.json {
		_, err := fmt.Fprintln(w, summary(primes, c.Limit))
		return err
	}
	few := min(len(primes), 3)
	return json.NewEncoder(w).Encode(struct {
		Count   int     `json:"count"`
		First   []int   `json:"first"`
		Last    []int   `json:"last"`
		Limit   int     `json:"limit"`
		Chunk   int     `json:"chunk"`
		Workers int     `json:"workers"`
		Tasks   int     `json:"tasks"`
		Seconds float64 `json:"seconds"`
		Redis   string  `json:"redis"`
	}{
		len(primes), primes[:few], primes[len(primes)-few:], c.Limit, c.Chunk,
		c.workers, c.tasks(), float64(took.Milliseconds()) / 1000, redis,
	})
}

// summary says how many primes there are, with the first three and the last three of them, or all where they are few.
func summary(primes []int, limit int) string {
	list := func(primes []int) string { return strings.Trim(fmt.Sprint(primes), "[]") }
	switch n := len(primes); {
	case n == 0:
		return fmt.Sprintf("0 primes below %d", limit)
	case n == 1:
		return fmt.Sprintf("1 prime below %d: %d", limit, primes[0])
	case n <= 6:
		return fmt.Sprintf("%d primes below %d: %s", n, limit, list(primes))
	default:
		return fmt.Sprintf("%d primes below %d: %s … %s", n, limit, list(primes[:3]), list(primes[n-3:]))
	}
}
