package main

import (
	"context"
	"errors"
	"time"

	"github.com/hibiken/asynq"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/redis/go-redis/v9"
)

var singleAsynq = family{
	rows: []row{{
		"single_vs_asynq", perSecond,
		"EachElem of a function that does nothing by tasks of one element, each claimed by itself, beside asynq",
	}},
	measure: func(ctx context.Context, b *bench, r *rounds) error {
		n := b.size(20_000, 5_000)
		// With no more tasks handed out than there are slots, a claim has one.
		o := &sleigh.JobOptions{Chunk: 1, LoadFactor: 1}
		a := newAsynq(b)
		defer a.close()
		return withTeam(ctx, b.rdb, singleSlots, func(s *sleigh.Sleigh) error {
			for r.next() {
				ours, err := eachNothing(ctx, s, n, o)
				if err != nil {
					return err
				}
				theirs, err := a.each(ctx)
				if err != nil {
					return err
				}
				r.add("single_vs_asynq", float64(n)/ours.Seconds(), theirs)
			}
			return nil
		})
	},
}

// Those of asynq are the best of 2 to 128, and of 4 to 32, on a machine with 2 cores; ours of 32 to 256.
const (
	singleSlots      = 128 // of each of our workers
	asynqConcurrency = 8   // of each of theirs
	asynqEnqueuers   = 8   // goroutines of their master, since each call of Enqueue is a round trip
	asynqTask        = "nothing"
	asynqResults     = "asynq:results of the bench"
	asynqInterval    = 10 * time.Millisecond
)

// asynqTeam is a master with n tasks for its workers.
type asynqTeam struct {
	*bench
	client *asynq.Client
	n      int
}

func newAsynq(b *bench) *asynqTeam {
	return &asynqTeam{b, asynq.NewClient(asynq.RedisClientOpt{Addr: b.addr, PoolSize: poolSize}), b.size(10_000, 4_000)}
}

func (a *asynqTeam) close() { _ = a.client.Close() }

// each is how many tasks are done in a second, with workers that are there and warm. They end with it, since those that have
// nothing to do look for work all the time.
func (a *asynqTeam) each(ctx context.Context) (rate float64, err error) {
	crew, err := startCrew(processes, "asynq-worker", a.addr)
	if err != nil {
		return 0, err
	}
	defer crew.end()
	if _, err := a.run(ctx, 500); err != nil {
		return 0, err
	}
	took, err := a.run(ctx, a.n)
	return float64(a.n) / took.Seconds(), err
}

// run hands out n tasks and waits for their results.
func (a *asynqTeam) run(ctx context.Context, n int) (time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	began := time.Now()
	for turn := range asynqEnqueuers {
		go func() {
			for i := turn; i < n; i += asynqEnqueuers {
				task := asynq.NewTask(asynqTask, []byte(numbered(i, i)), asynq.MaxRetry(0))
				if _, err := a.client.EnqueueContext(ctx, task); err != nil {
					cancel(err)
					return
				}
			}
		}()
	}
	results, err := gather(ctx, a.plain, asynqResults, n)
	took := time.Since(began)
	if err != nil {
		return 0, errors.Join(context.Cause(ctx), err)
	}
	return took, checkOrder(results, n)
}

// asynqWorker is a server of theirs. What its own way to give back a result costs (Retention, and a look at each task) it is
// spared: results are pushed to a list, many at a time.
func asynqWorker(args []string, ready func(string)) error {
	rdb := redis.NewClient(&redis.Options{Addr: args[0]})
	results := make(chan string, unsafeBatch)
	go pushAll(rdb, results)
	server := asynq.NewServer(asynq.RedisClientOpt{Addr: args[0], PoolSize: poolSize}, asynq.Config{
		Concurrency: asynqConcurrency, TaskCheckInterval: asynqInterval, LogLevel: asynq.FatalLevel,
	})
	err := server.Start(asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error {
		i, x, err := unnumbered(string(t.Payload()))
		if err != nil {
			return err
		}
		results <- numbered(i, x)
		return nil
	}))
	if err != nil {
		return err
	}
	ready("ready")
	select {} // until this process is ended
}

// pushAll pushes what there is together.
func pushAll(rdb *redis.Client, results <-chan string) {
	for {
		values := []any{<-results}
		for len(values) < unsafeBatch && len(results) > 0 {
			values = append(values, <-results)
		}
		if err := rdb.RPush(context.Background(), asynqResults, values...).Err(); err != nil {
			panic(err)
		}
	}
}
