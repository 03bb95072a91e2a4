package main

import "fmt"

// goals are what the ratios should be, by the names of rows. Where a goal is out of reach, why says so, and floor what --check
// demands in its place, so that a change for the worse is noticed all the same:
//
//	"fetch1_vs_raw": {ratio: 0.8, floor: 0.2, why: "…"},
var goals = map[string]goal{
	"each_vs_unsafe":  atLeast(0.5),
	"each_vs_asynq":   atLeast(50),
	"single_vs_asynq": atLeast(4),

	"busy_10ms": atLeast(0.97),
	"busy_1s":   atLeast(0.99),
	"uneven":    atMost(1.05),

	"roundtrip_vs_blpop":     atMost(1.5),
	"roundtrip_p99_vs_blpop": atMost(2),
	"wake_vs_blpop":          atMost(1.3),
	"wake_find_vs_blpop":     atMost(1.3),
	"wake_fetch_vs_blpop":    atMost(1.3),
	"wake_10k":               atMost(1.2),

	"store64_vs_raw":      atLeast(1.5),
	"fetch64_vs_raw":      atLeast(1.5),
	"store1_vs_raw":       atLeast(0.8),
	"fetch1_vs_raw":       atLeast(0.8),
	"bulk_vs_raw":         atLeast(0.5),
	"bulk_store_vs_raw":   atLeast(0.5),
	"bulk_iterate_vs_raw": atLeast(0.5),

	"primes_speedup":       atLeast(1.85),
	"primes_vs_goroutines": atLeast(0.93),
	"primes_embedded":      atLeast(0.9),

	"memory_master": atMost(1),
	"memory_redis":  atMost(1.5),
}

// goal is what a ratio should be.
type goal struct {
	most  bool // the less, the better: it is about time or memory
	ratio float64

	floor float64 // 0: half as good as the goal
	why   string  // the goal is out of reach
}

func atLeast(ratio float64) goal { return goal{ratio: ratio} }
func atMost(ratio float64) goal  { return goal{most: true, ratio: ratio} }

func (g goal) String() string { return g.bound(g.ratio) }

func (g goal) bound(ratio float64) string {
	if g.most {
		return fmt.Sprintf("≤ %g", ratio)
	}
	return fmt.Sprintf("≥ %g", ratio)
}

// met is how much of the goal a ratio reaches: 1 where it is met exactly, 0.5 where it is half as good.
func (g goal) met(ratio float64) float64 {
	if g.most {
		return g.ratio / ratio
	}
	return ratio / g.ratio
}

// complaint says what is wrong with a ratio that fails.
func (g goal) complaint() string {
	if g.floor == 0 {
		return fmt.Sprintf("is not even half as good as its goal %v", g)
	}
	return fmt.Sprintf("is not even %s, its goal being %v", g.bound(g.floor), g)
}

// fails reports whether a ratio is so bad that --check fails.
func (g goal) fails(ratio float64) bool {
	if g.floor == 0 {
		return g.met(ratio) < 0.5
	}
	if g.most {
		return ratio > g.floor
	}
	return ratio < g.floor
}
