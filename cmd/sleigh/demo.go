package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/spf13/cobra"
)

const demoWorkers = 4

func newDemo() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Count some primes with four workers on this machine; nothing needs to be set up",
		Example: `  sleigh demo
  sleigh demo --json`,
		Args: cli.Args,
		RunE: cli.Do(func(ctx context.Context, r *cli.Run, _ []string) error {
			rdb, err := redisx.Open(ctx, "mem://", &redisx.Options{Logger: r.Log, NoNotice: true})
			if err != nil {
				return err
			}
			defer rdb.Close()
			s, err := sleigh.Start(ctx, rdb, &sleigh.Options{Launch: sleigh.Local(demoWorkers), Logger: r.Log})
			if err != nil {
				return err
			}
			err = demonstrate(ctx, r, s)
			return errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
		}),
	}
}

// demonstrate counts the primes.
func demonstrate(ctx context.Context, r *cli.Run, s *sleigh.Sleigh) error {
	var firsts []int
	for first := 0; first < demoLimit; first += demoChunk {
		firsts = append(firsts, first)
	}
	b := newBar(r, len(firsts), "chunks")
	defer b.end()
	began, sum := time.Now(), demoResult{Below: demoLimit, Workers: demoWorkers}
	err := countPrimes.Accumulate(ctx, s, slices.Values(firsts), &sleigh.JobOptions{Name: "primes"}, func(_ int, f found) error {
		sum.Done++
		sum.Primes, sum.Largest = sum.Primes+f.Count, max(sum.Largest, f.Last)
		b.show(sum.Done, "")
		return nil
	})
	b.end()
	if err != nil {
		return err
	}
	sum.Seconds = time.Since(began).Seconds()
	if r.JSON {
		return r.PrintJSON(sum)
	}
	if _, err := fmt.Fprintf(r.Stdout, "There are %d primes below %d; the largest is %d. %d workers took %s.\n",
		sum.Primes, sum.Below, sum.Largest, sum.Workers, span(time.Since(began))); err != nil {
		return err
	}
	if !r.Quiet {
		_, err = fmt.Fprint(r.Stderr, demoNext)
	}
	return err
}

type demoResult struct {
	Primes  int     `json:"primes"`
	Below   int     `json:"below"`
	Largest int     `json:"largest"`
	Workers int     `json:"workers"`
	Done    int     `json:"elements"`
	Seconds float64 `json:"seconds"`
}

const demoNext = `
Next, a command of yours on this machine:
  sleigh each --local 4 -- echo hello {} ::: Ada Grace Edsger
and on as many machines as you like, with a Redis that all of them reach:
  export REDIS_URL=redis://localhost:6379
  sleigh worker --team farm --allow-commands     # on each
  sleigh each --team farm -- echo hello {} ::: Ada Grace Edsger
`
