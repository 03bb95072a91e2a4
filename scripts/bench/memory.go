package main

import (
	"context"
	"fmt"
	"regexp"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

const resultBytes = 8 // of an int

var (
	memoryOfMaster = family{
		rows: []row{{
			"memory_master", inBytes, "memory of the master for each element beyond its result, beside 100 B",
		}},
		measure: func(ctx context.Context, b *bench, r *rounds) error {
			few := b.size(1_000_000, 200_000)
			many := 5 * few
			for r.next() {
				less, err := b.peaks(ctx, few)
				if err != nil {
					return err
				}
				more, err := b.peaks(ctx, many)
				if err != nil {
					return err
				}
				perElement := (more.master-less.master)/float64(many-few) - resultBytes
				r.add("memory_master", max(perElement, 1), 100) // the collector may give back more than is used
			}
			return nil
		},
	}
	memoryOfRedis = family{
		rows: []row{{
			"memory_redis", inBytes, "the most memory of Redis for 5 times the elements, beside that for once; 1 kB each, load factor 4",
		}},
		measure: func(ctx context.Context, b *bench, r *rounds) error {
			n := b.size(20_000, 10_000)
			return withTeam(ctx, b.rdb, 1, func(s *sleigh.Sleigh) error {
				for r.next() {
					less, err := b.peakOfRedis(ctx, s, n)
					if err != nil {
						return err
					}
					more, err := b.peakOfRedis(ctx, s, 5*n)
					if err != nil {
						return err
					}
					r.add("memory_redis", more, less)
				}
				return nil
			})
		},
	}
	curveOfMemory = curve{
		name: "memory", what: "the most memory that EachElem has, default options, by the number of elements",
		measure: func(ctx context.Context, b *bench) (p panel, err error) {
			p.X, p.Y = "elements", "MB"
			sizes := []int{1e4, 1e5, 1e6, 1e7}
			for _, n := range sizes[:b.size(len(sizes), 3)] {
				most, err := b.peaks(ctx, n)
				if err != nil {
					return p, err
				}
				p.add("master", float64(n), most.master/1e6)
				p.add("Redis", float64(n), most.redis/1e6)
				p.add("results alone", float64(n), float64(resultBytes*n)/1e6)
			}
			return p, nil
		},
	}
)

// peaks is the most memory that there was of some elements, in bytes.
type peaks struct{ master, redis float64 }

// peaks has a new process be the master, so that nothing else is counted.
func (b *bench) peaks(ctx context.Context, n int) (p peaks, err error) {
	var h *helper
	p.redis, err = b.peakDuring(ctx, func() (err error) {
		h, err = startHelper("memory-master", b.addr, strconv.Itoa(n))
		return err
	})
	if err != nil {
		return p, err
	}
	h.end()
	p.master, err = strconv.ParseFloat(h.said, 64)
	return p, err
}

// measureText is given long arguments, which make most of what Redis has.
var measureText = sleigh.Register("bench.length", func(_ context.Context, text string) (int, error) { return len(text), nil })

// peakOfRedis hands out small tasks, so that a job of some thousand elements has many.
func (b *bench) peakOfRedis(ctx context.Context, s *sleigh.Sleigh, n int) (float64, error) {
	const long = 1000
	text := strings.Repeat("x", long)
	texts := func(yield func(string) bool) {
		for range n {
			if !yield(text) {
				return
			}
		}
	}
	return b.peakDuring(ctx, func() error {
		results, err := measureText.EachElem(ctx, s, texts, &sleigh.JobOptions{Chunk: 100, LoadFactor: 4})
		if err != nil {
			return err
		}
		if len(results) != n || slices.Min(results) != long || slices.Max(results) != long {
			return fmt.Errorf("%d results of %d elements, or wrong ones", len(results), n)
		}
		return nil
	})
}

// peakDuring is how much more memory than before Redis has at the most, while f runs.
func (b *bench) peakDuring(ctx context.Context, f func() error) (peak float64, err error) {
	before, err := b.usedMemory(ctx)
	if err != nil {
		return 0, err
	}
	looking, cancel := context.WithCancel(ctx)
	var looks sync.WaitGroup
	looks.Go(func() {
		most(looking, &peak, func() float64 {
			used, _ := b.usedMemory(looking)
			return used - before
		})
	})
	err = f()
	cancel()
	looks.Wait()
	return peak, err
}

// most keeps the largest of what look gives until ctx ends.
func most(ctx context.Context, largest *float64, look func() float64) {
	for ctx.Err() == nil {
		*largest = max(*largest, look())
		select {
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

var usedMemory = regexp.MustCompile(`used_memory:(\d+)`)

func (b *bench) usedMemory(ctx context.Context) (float64, error) {
	info, err := b.plain.Info(ctx, "memory").Result()
	if err != nil {
		return 0, err
	}
	found := usedMemory.FindStringSubmatch(info)
	if found == nil {
		return 0, fmt.Errorf("INFO has no used_memory")
	}
	return strconv.ParseFloat(found[1], 64)
}

// memoryMaster is a master process that says how much memory it has had from the system.
func memoryMaster(args []string, ready func(string)) (err error) {
	ctx := context.Background()
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	rdb, err := redisx.Open(ctx, "redis://"+args[0], nil)
	if err != nil {
		return err
	}
	defer rdb.Close()
	peak := 0.0
	err = withTeam(ctx, rdb, 1, func(s *sleigh.Sleigh) error {
		looking, cancel := context.WithCancel(ctx)
		var looks sync.WaitGroup
		looks.Go(func() { most(looking, &peak, fromSystem) })
		_, err := eachNothing(ctx, s, n, nil)
		cancel()
		looks.Wait()
		return err
	})
	if err == nil {
		ready(strconv.FormatFloat(peak, 'f', 0, 64))
	}
	return err
}

// fromSystem is the memory that this process has from the system.
func fromSystem() float64 {
	all := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(all)
	return float64(all[0].Value.Uint64() - all[1].Value.Uint64())
}
