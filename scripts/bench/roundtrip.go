package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/netspaces/netspaces/sleigh"
	"github.com/redis/go-redis/v9"
)

var roundtrip = family{
	rows: []row{
		{"roundtrip_vs_blpop", inSeconds, "one element there and back by EachElem, median, beside BLPOP by hand"},
		{"roundtrip_p99_vs_blpop", inSeconds, "the same, 99th percentile"},
	},
	measure: func(ctx context.Context, b *bench, r *rounds) error {
		crew, err := startCrew(processes, "blpop-worker", b.addr)
		if err != nil {
			return err
		}
		defer crew.end()
		return withTeam(ctx, b.rdb, 1, func(s *sleigh.Sleigh) error {
			for r.next() {
				ours, theirs, err := inTurns(b.size(2000, 300), func(i int) error {
					results, err := nothing.EachElem(ctx, s, slices.Values([]int{i}), nil)
					if err != nil {
						return err
					}
					return checkOne(results, i)
				}, func(i int) error { return thereAndBack(ctx, b.plain, i) })
				if err != nil {
					return err
				}
				r.addTimes("roundtrip_vs_blpop", quantile(ours, 0.5), quantile(theirs, 0.5))
				r.addTimes("roundtrip_p99_vs_blpop", quantile(ours, 0.99), quantile(theirs, 0.99))
			}
			return nil
		})
	},
}

// inTurns times n calls of both, after some that do not count.
func inTurns(n int, our, their func(i int) error) (ours, theirs []time.Duration, err error) {
	const warm = 20
	for i := range n + warm {
		began := time.Now()
		if err := our(i); err != nil {
			return nil, nil, err
		}
		between := time.Now()
		if err := their(i); err != nil {
			return nil, nil, err
		}
		if i >= warm {
			ours, theirs = append(ours, between.Sub(began)), append(theirs, time.Since(between))
		}
	}
	return ours, theirs, nil
}

func checkOne(results []int, want int) error {
	if len(results) != 1 || results[0] != want {
		return fmt.Errorf("the results of %d are %d", want, results)
	}
	return nil
}

// What a round trip is by hand: a worker waits in BLPOP for a task, and the master for its result.
const (
	handTasks   = "hand:tasks"
	handResults = "hand:results"
)

func thereAndBack(ctx context.Context, rdb *redis.Client, x int) error {
	if err := rdb.RPush(ctx, handTasks, x).Err(); err != nil {
		return err
	}
	r, err := pop(ctx, rdb, handSilence, handResults)
	if err != nil {
		return err
	}
	return checkOne([]int{r}, x)
}

func pop(ctx context.Context, rdb *redis.Client, wait time.Duration, list string) (int, error) {
	named, err := rdb.BLPop(ctx, wait, list).Result()
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(named[1])
}

// blpopWorker is the worker process.
func blpopWorker(args []string, ready func(string)) error {
	ctx := context.Background()
	rdb := redis.NewClient(&redis.Options{Addr: args[0]})
	ready("ready")
	for {
		x, err := pop(ctx, rdb, 0, handTasks)
		if err != nil {
			return err
		}
		if err := rdb.RPush(ctx, handResults, x).Err(); err != nil {
			return err
		}
	}
}
