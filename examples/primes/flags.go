package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/spf13/pflag"
)

const help = `Count the primes below a limit with a team of worker processes that share nothing but a Redis.

Examples:
  primes                                the primes below 2000000: a worker for each core, an embedded Redis
  primes --limit 10000000 --workers 2   further, with two workers
  primes --redis local://               on a private redis-server that ends with the program
  primes --redis redis://host:6379/0    on a Redis that others use too
  primes --json | jq .count             one JSON object, for other programs
  primes --hosts a,b,b                  with a worker on host a and two on b, which ssh reaches
  primes --team demo --workers 8        with workers on any machine; each: NETSPACES_TEAM=demo primes

Usage: primes [flags]

%s
Exit codes: 0 done, 1 error, 2 wrong usage, 4 no Redis, 130 after Ctrl-C.
`

// A command is what the command line asks for.
type command struct {
	parameters
	workers int
	hosts   []string
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
	flags.StringSliceVar(&c.hosts, "hosts", nil, "start none here, but one by ssh on each of these `hosts`, such as a,b,b; the program\n"+
		"is sent there")
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
