package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// What one writes by hand: each element is a value of a list, with its index; workers take many at a time, and push their
// results to another list. Whoever dies takes elements along, a lost reply loses or doubles them, and Redis has as many as
// are pushed.
const (
	unsafeTasks   = "unsafe:tasks"
	unsafeResults = "unsafe:results"
	unsafeBatch   = 1000
	unsafeWait    = time.Second // that a worker waits until it looks again
	handSilence   = 30 * time.Second
)

// unsafeTeam is the master of the worker processes.
type unsafeTeam struct {
	rdb  *redis.Client
	crew crew
}

// startUnsafe has workers that are there and warm.
func startUnsafe(ctx context.Context, b *bench) (*unsafeTeam, error) {
	crew, err := startCrew(processes, "unsafe-worker", b.addr)
	if err != nil {
		return nil, err
	}
	u := &unsafeTeam{rdb: b.plain, crew: crew}
	if _, err := u.each(ctx, 10000); err != nil {
		crew.end()
		return nil, err
	}
	return u, nil
}

// each is how long it takes to have the results of n elements, in order.
func (u *unsafeTeam) each(ctx context.Context, n int) (time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	began := time.Now()
	go func() {
		if err := u.push(ctx, n); err != nil {
			cancel(err)
		}
	}()
	results, err := gather(ctx, u.rdb, unsafeResults, n)
	took := time.Since(began)
	if err != nil {
		return 0, errors.Join(context.Cause(ctx), err)
	}
	return took, checkOrder(results, n)
}

func (u *unsafeTeam) push(ctx context.Context, n int) error {
	values := make([]any, 0, unsafeBatch)
	for i := range upTo(n) {
		if values = append(values, numbered(i, i)); len(values) == unsafeBatch || i == n-1 {
			if err := u.rdb.RPush(ctx, unsafeTasks, values...).Err(); err != nil {
				return err
			}
			values = values[:0]
		}
	}
	return nil
}

// gather takes n results from a list, and puts them in order.
func gather(ctx context.Context, rdb *redis.Client, list string, n int) ([]int, error) {
	results, there := make([]int, n), make([]bool, n)
	for left := n; left > 0; {
		some, err := takeSoon(ctx, rdb, list)
		if err != nil {
			return nil, err
		}
		for _, text := range some {
			i, r, err := unnumbered(text)
			if err != nil {
				return nil, err
			}
			if i < 0 || i >= n || there[i] {
				return nil, fmt.Errorf("a result of element %d that was not expected", i)
			}
			results[i], there[i] = r, true
			left--
		}
	}
	return results, nil
}

// takeSoon is take that gives up when nothing comes: a worker must have died.
func takeSoon(ctx context.Context, rdb *redis.Client, list string) ([]string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, handSilence, fmt.Errorf("nothing came to %s for %v", list, handSilence))
	defer cancel()
	some, err := take(ctx, rdb, list)
	if err != nil {
		err = errors.Join(context.Cause(ctx), err)
	}
	return some, err
}

// take is LPOP with a count that waits for the first.
func take(ctx context.Context, rdb *redis.Client, list string) ([]string, error) {
	for {
		_, some, err := rdb.BLMPop(ctx, unsafeWait, "left", unsafeBatch, list).Result()
		if !errors.Is(err, redis.Nil) {
			return some, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

// unsafeWorker is the worker process.
func unsafeWorker(args []string, ready func(string)) error {
	ctx := context.Background()
	rdb := redis.NewClient(&redis.Options{Addr: args[0]})
	ready("ready")
	var results []any
	for {
		some, err := take(ctx, rdb, unsafeTasks)
		if err != nil {
			return err
		}
		for _, text := range some {
			i, x, err := unnumbered(text)
			if err != nil {
				return err
			}
			results = append(results, numbered(i, x))
		}
		if err := rdb.RPush(ctx, unsafeResults, results...).Err(); err != nil {
			return err
		}
		results = results[:0]
	}
}

// numbered is an argument or result with the index of its element.
func numbered(i, x int) string {
	text := strconv.AppendInt(make([]byte, 0, 24), int64(i), 10)
	return string(strconv.AppendInt(append(text, ' '), int64(x), 10))
}

func unnumbered(text string) (i, x int, err error) {
	index, value, _ := strings.Cut(text, " ")
	if i, err = strconv.Atoi(index); err != nil {
		return 0, 0, err
	}
	x, err = strconv.Atoi(value)
	return i, x, err
}
