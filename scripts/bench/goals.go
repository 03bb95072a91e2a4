package main

import "fmt"

// goals are what the ratios should be, by the names of rows. Where a goal is out of reach, why says so, and floor, if the half of
// it is out of reach too, what --check demands in its place, so that a change for the worse is noticed all the same:
//
//	"fetch1_vs_raw": {ratio: 0.8, floor: 0.2, why: "…"},
var goals = map[string]goal{
	"each_vs_unsafe":  atLeast(0.5),
	"each_vs_asynq":   atLeast(50),
	"single_vs_asynq": atLeast(4),

	"busy_10ms": atLeast(0.97),
	"busy_1s":   atLeast(0.99),
	"uneven":    atMost(1.05),

	"roundtrip_vs_blpop": {
		most: true, ratio: 1.5,
		why: "two scripts of some 100 µs each stand in the place of commands of some 10: one hands out the task, one takes its result",
	},
	"roundtrip_p99_vs_blpop": {most: true, ratio: 2, why: "as for the median"},
	"wake_vs_blpop":          {most: true, ratio: 1.3, floor: 6, why: comes},
	"wake_find_vs_blpop":     {most: true, ratio: 1.3, floor: 4, why: "a script of RPUSH and PUBLISH alone takes 1.5 to 1.7 × BLPOP"},
	"wake_fetch_vs_blpop":    {most: true, ratio: 1.3, floor: 6, why: comes},
	"wake_10k": {
		most: true, ratio: 1.2, floor: 5,
		why: "a store takes 9 µs of Redis, one that wakes a fetch 20, and to come for the value 3",
	},

	"store64_vs_raw":      atLeast(1.5),
	"fetch64_vs_raw":      atLeast(1.5),
	"store1_vs_raw":       {ratio: 0.8, floor: 0.3, why: "an empty script with nine keys takes 1.2 × RPUSH, and what it has to check a third more"},
	"fetch1_vs_raw":       {ratio: 0.8, floor: 0.25, why: "as for a store, and what was taken is kept until its reply has come"},
	"bulk_vs_raw":         atLeast(0.5),
	"bulk_store_vs_raw":   atLeast(0.5),
	"bulk_iterate_vs_raw": atLeast(0.5),

	"primes_speedup":       atLeast(1.85),
	"primes_vs_goroutines": atLeast(0.93),
	"primes_embedded":      atLeast(0.9),

	"memory_master": atMost(1),
	"memory_redis":  atMost(1.5),
}

const comes = "a fetch comes for its value, so that none is lost or doubled: PUBLISH, then LPOP by a script take 2.7 to 3.2 × BLPOP"

// goal is what a ratio should be.
type goal struct {
	most  bool // the less, the better: it is about time or memory
	ratio float64

	floor float64 // what --check demands; 0: half as good as the goal
	why   string  // the goal is out of reach; empty if it is not
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

// demanded is what --check wants.
func (g goal) demanded() float64 {
	switch {
	case g.floor != 0:
		return g.floor
	case g.most:
		return 2 * g.ratio
	}
	return g.ratio / 2
}

// fails reports whether a ratio is so bad that --check fails.
func (g goal) fails(ratio float64) bool {
	if g.most {
		return ratio > g.demanded()
	}
	return ratio < g.demanded()
}
