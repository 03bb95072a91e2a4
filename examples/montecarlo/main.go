// Command montecarlo estimates pi by random points, on a team of worker processes. The same seed gives the same digits,
// however many workers there are, whichever of them die, and however the work is cut.
package main

import (
	"context"
	"fmt"
	"iter"
	"math"

	"github.com/netspaces/netspaces/examples/internal/program"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/spf13/pflag"
)

const about = `Estimate pi by random points in a square, of which pi/4 are in a circle. The same seed gives the same digits.

Examples:
  montecarlo                             200 million points, a worker for each core, an embedded Redis
  montecarlo --points 1000000 --seed 7   fewer, and others
  montecarlo --redis local://            on a private redis-server
  montecarlo --team demo --workers 8     with workers on any machine; each: NETSPACES_TEAM=demo montecarlo`

var (
	points = pflag.Int("points", 200*batch, "throw this `number` of points")
	seed   = pflag.Uint64("seed", 1, "begin the random numbers by this `number`")
	chunk  = pflag.Int("chunk", 0, "hand out this `number` of million points at a time, or 0 for what takes 50 ms")
)

// batch is how many points an element of the job is, but for the last one. The digits depend on it.
const batch = 1_000_000

// tally is random points of a square, and those of them that are in the circle.
type tally struct{ Points, Hits int }

var throw = sleigh.Register("montecarlo.throw", func(ctx context.Context, points int) (tally, error) {
	t, random := tally{Points: points}, sleigh.Rand(ctx) // which depends on the seed and the element only
	for range points {
		x, y := random.Float64(), random.Float64()
		if float64(x*x)+float64(y*y) < 1 { // rounded in the same way on every machine
			t.Hits++
		}
	}
	return t, nil
})

// String is pi with its standard error, to two digits of that. It is never 0, since what was not hit yet may be hit.
func (t tally) String() string {
	n, p := float64(t.Points), float64(t.Hits+1)/float64(t.Points+2)
	sigma := 4 * math.Sqrt(p*(1-p)/n)
	digits := max(0, 1-int(math.Floor(math.Log10(sigma))))
	return fmt.Sprintf("pi = %.*f ± %.*f", digits, 4*float64(t.Hits)/n, digits, sigma)
}

func main() {
	sleigh.Main() // A worker process never returns from here.
	(&program.Example{About: about, Check: check, Run: run}).Main()
}

func check() error {
	switch {
	case pflag.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", pflag.Arg(0))
	case *points < 1:
		return fmt.Errorf("--points %d: it must be at least 1", *points)
	case *chunk < 0:
		return fmt.Errorf("--chunk %d: it must not be negative", *chunk)
	}
	return nil
}

// run adds up the points as they come, in any order.
func run(ctx context.Context, s *sleigh.Sleigh) error {
	job, err := throw.Submit(ctx, s, batches(*points), &sleigh.JobOptions{Seed: *seed, Chunk: *chunk})
	if err != nil {
		return err
	}
	var sum tally
	for done, err := range job.All(ctx) {
		if err != nil {
			return err
		}
		sum.Points, sum.Hits = sum.Points+done.Value.Points, sum.Hits+done.Value.Hits
		program.Status("%v after %.1f %%", sum, 100*float64(sum.Points)/float64(*points))
	}
	program.Status("")
	_, err = fmt.Printf("%v\n%d of %d points are in the circle (seed %d)\n", sum, sum.Hits, sum.Points, *seed)
	return err
}

// batches are the elements of the job.
func batches(points int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for left := points; left > 0; left -= batch {
			if !yield(min(left, batch)) {
				return
			}
		}
	}
}
