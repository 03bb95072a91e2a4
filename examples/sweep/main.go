// Command sweep computes where a harvested population is chaotic, and adds a row for each growth and harvest to a CSV file.
// It may be stopped at any moment, even by kill -9: the same command goes on.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/netspaces/netspaces/examples/internal/program"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/spf13/pflag"
)

var (
	table   = pflag.String("csv", "sweep.csv", "add rows to this `file`: number, growth, harvest, exponent, error")
	grid    = pflag.Int("grid", 60, "take this `number` of values of growth, and of harvest")
	workers = pflag.Int("workers", 4, "start this `number` of workers; others join by NETSPACES_TEAM=sweep")
)

type point struct{ Number, Growth, Harvest float64 }

func (p point) String() string { return fmt.Sprintf("%.0f,%.4f,%.4f", p.Number, p.Growth, p.Harvest) }

// exponent is above 0 where it is chaotic. It fails for good where the population dies out, and else now and then by bad luck.
var exponent = sleigh.Register("sweep.exponent", func(_ context.Context, p point) (float64, error) {
	const years = 500_000
	size, sum := 0.4, 0.0 // of what the land can feed
	for year := range years {
		sum += math.Log(math.Abs(p.Growth * (1 - 2*size)))
		if size = p.Growth*size*(1-size) - p.Harvest; size < 0 {
			return 0, fmt.Errorf("it dies out in year %d", year+1)
		}
	}
	if rand.IntN(50) == 0 { //nolint:gosec // Anybody may foresee it.
		return 0, errors.New("the network is down")
	}
	return sum / years, nil
})

func main() {
	sleigh.Main() // A worker process never returns from here.
	pflag.Parse()
	ctx := program.UntilSignal()
	err := sweep(ctx)
	if program.Status(""); err != nil {
		fmt.Fprintln(os.Stderr, "sweep:", err)
	}
	os.Exit(program.ExitCode(ctx, err))
}

func sweep(ctx context.Context) error {
	file, err := os.OpenFile(*table, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	has, _, unread := rowsOf(*table)
	rdb, unopened := redisx.Open(ctx, os.Getenv("REDIS_URL"), nil)
	if err = errors.Join(err, unread, unopened); err != nil {
		return err
	}
	defer rdb.Close()
	s, err := sleigh.Join(ctx, rdb, "sweep", &sleigh.Options{Launch: sleigh.Local(*workers)})
	if err != nil {
		return err
	}
	defer func() { _ = s.Stop(context.WithoutCancel(ctx)) }()
	var points []point
	for i := range *grid * *grid {
		p := point{float64(i), 3.21 + float64(i / *grid)/float64(*grid), 0.19 * float64(i%*grid) / float64(*grid)}
		if !has[p.String()] || rdb.String() != "embedded" { // Other servers know the job, and by its indexes the elements.
			points = append(points, p)
		}
	}
	name, _ := filepath.Abs(fmt.Sprintf("%s (%d)", *table, *grid))
	job, err := exponent.Submit(ctx, s, slices.Values(points), &sleigh.JobOptions{Name: name, Attempts: 6, Backoff: 10 * time.Millisecond})
	// Another sweep may have had the job until now, and may have it still. Only who has it writes to the file.
	has, cut, unread := rowsOf(*table)
	lacks := func(p point) bool { return !has[p.String()] }
	switch {
	case errors.Is(err, sleigh.ErrFinished) && !slices.ContainsFunc(points, lacks):
		fmt.Fprintln(os.Stderr, "sweep:", err)
		return nil
	case err != nil:
		return fmt.Errorf("%w; %s has %d of %d rows", err, *table, len(has), *grid**grid)
	case cut >= 0:
		unread = errors.Join(unread, file.Truncate(int64(cut)))
	}
	if unread != nil {
		return unread
	}
	for r, err := range job.All(ctx) {
		end := fmt.Sprintf("%.6f,", r.Value)
		if failed, ok := errors.AsType[*sleigh.TaskError](err); ok {
			end = fmt.Sprintf(",%q", failed.Message)
		} else if err != nil {
			return fmt.Errorf("%w; %s has %d rows, and the same command goes on", err, *table, len(has))
		}
		if row := points[r.Index].String(); !has[row] { // Else it was written just before this program was stopped.
			if _, err := fmt.Fprintf(file, "%s,%s\n", row, end); err != nil {
				return err
			}
			has[row] = true
		}
		program.Status("%d of %d rows", len(has), *grid**grid)
	}
	return nil
}

// rowsOf says which rows a table has, and where one begins that was cut off; -1 if none was.
func rowsOf(path string) (has map[string]bool, cut int, err error) {
	text, err := os.ReadFile(path)
	cut = bytes.LastIndexByte(text, '\n') + 1
	has = map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\d+,[^,]*,[^,]*`).FindAllString(string(text[:cut]), -1) {
		has[row] = true
	}
	if cut == len(text) {
		cut = -1
	}
	return has, cut, err
}
