package workspace_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// The verbs beside the plain commands of go-redis, on one private redis-server and in turn, so that the ratio means
// something on a noisy machine:
//
//	go test ./workspace -run '^$' -bench Verbs
//
// x-raw is how many times as fast as the plain command a verb is, by the medians of the rounds.
func BenchmarkVerbs(b *testing.B) {
	needRedis(b)
	bench := newBench(b)
	value := bytes.Repeat([]byte("x"), 100)
	typed := workspace.NewVar[string](bench.ws, "typed")
	text := strings.Repeat("x", 98) // 100 bytes as JSON
	for _, c := range []struct {
		name      string
		fill      string // the variable that has to have a value for each call
		verb, raw func(ctx context.Context) error
	}{
		{"Store", "", func(ctx context.Context) error { return bench.ws.Store(ctx, "v", value) }, bench.rpush(value)},
		{"StoreTyped", "", func(ctx context.Context) error { return typed.Store(ctx, text) }, bench.rpush(value)},
		{"Fetch", "v", func(ctx context.Context) error {
			var got []byte
			return bench.ws.Fetch(ctx, "v", &got)
		}, bench.lpop},
		{"FetchTyped", "typed", func(ctx context.Context) error {
			_, err := typed.Fetch(ctx)
			return err
		}, bench.lpop},
		{"TryFetch", "v", func(ctx context.Context) error {
			var got []byte
			_, err := bench.ws.TryFetch(ctx, "v", &got)
			return err
		}, bench.lpop},
		{"TryFetchTyped", "typed", func(ctx context.Context) error {
			_, _, err := typed.TryFetch(ctx)
			return err
		}, bench.lpop},
		{"Find", "v", func(ctx context.Context) error {
			var got []byte
			return bench.ws.Find(ctx, "v", &got)
		}, bench.lindex},
		{"FindTyped", "typed", func(ctx context.Context) error {
			_, err := typed.Find(ctx)
			return err
		}, bench.lindex},
		{"TryFind", "v", func(ctx context.Context) error {
			var got []byte
			_, err := bench.ws.TryFind(ctx, "v", &got)
			return err
		}, bench.lindex},
		{"TryFindTyped", "typed", func(ctx context.Context) error {
			_, _, err := typed.TryFind(ctx)
			return err
		}, bench.lindex},
	} {
		for _, goroutines := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/goroutines=%d", c.name, goroutines), func(b *testing.B) {
				bench.compare(b, goroutines, c.fill, value, c.verb, c.raw)
			})
		}
	}
}

// bench has a server of its own.
type bench struct {
	rdb *redisx.Client
	ws  *workspace.Workspace
}

func newBench(b *testing.B) *bench {
	rdb, err := redisx.Open(b.Context(), "local://", nil)
	if err != nil {
		b.Fatal(err)
	}
	ws, err := workspace.Open(b.Context(), rdb, "bench", nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = rdb.Close() })
	return &bench{rdb: rdb, ws: ws}
}

func (r *bench) rpush(value []byte) func(context.Context) error {
	return func(ctx context.Context) error { return r.rdb.Redis().RPush(ctx, "raw", value).Err() }
}

func (r *bench) lpop(ctx context.Context) error   { return r.rdb.Redis().LPop(ctx, "raw").Err() }
func (r *bench) lindex(ctx context.Context) error { return r.rdb.Redis().LIndex(ctx, "raw", 0).Err() }

// compare runs rounds of both in turn.
func (r *bench) compare(b *testing.B, goroutines int, fill string, value []byte, verb, raw func(context.Context) error) {
	const rounds = 5
	each := max(b.N/rounds/goroutines, 1)
	var verbs, raws []time.Duration
	for range rounds {
		if fill != "" {
			r.fill(b, fill, value, each*goroutines+1)
		}
		verbs = append(verbs, timed(b, goroutines, each, verb))
		raws = append(raws, timed(b, goroutines, each, raw))
		if fill != "" {
			_ = r.ws.DeleteVar(b.Context(), fill)
		}
		if err := r.rdb.Redis().Del(b.Context(), "raw").Err(); err != nil {
			b.Fatal(err)
		}
	}
	calls := float64(each * goroutines)
	b.ReportMetric(0, "ns/op") // it would count both
	b.ReportMetric(float64(median(verbs))/calls, "verb-ns/op")
	b.ReportMetric(float64(median(raws))/calls, "raw-ns/op")
	b.ReportMetric(float64(median(raws))/float64(median(verbs)), "x-raw")
}

func (r *bench) fill(b *testing.B, variable string, value []byte, n int) {
	var text any = value
	if variable == "typed" {
		text = strings.Repeat("x", len(value)-2)
	}
	all, plain := make([]any, n), make([]any, n)
	for i := range all {
		all[i], plain[i] = text, value
	}
	if err := r.ws.StoreAll(b.Context(), variable, all...); err != nil {
		b.Fatal(err)
	}
	for some := range slices.Chunk(plain, 1000) {
		if err := r.rdb.Redis().RPush(b.Context(), "raw", some...).Err(); err != nil {
			b.Fatal(err)
		}
	}
}

func timed(b *testing.B, goroutines, each int, call func(context.Context) error) time.Duration {
	ctx := b.Context()
	var running sync.WaitGroup
	began := time.Now()
	for range goroutines {
		running.Go(func() {
			for range each {
				if err := call(ctx); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	return time.Since(began)
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// How long a blocked Fetch takes from the store to its return, beside BLPOP, and beside a message (PUBLISH) that has its
// receiver come for the value (LPOP): Fetch cannot do with less, since a value that only a message has brought may go to
// somebody else while its receiver is stopped.
//
//	go test ./workspace -run '^$' -bench Wake -benchtime 2000x
func BenchmarkWake(b *testing.B) {
	needRedis(b)
	r := newBench(b)
	rdb, ctx := r.rdb.Redis(), b.Context()
	messages := rdb.Subscribe(ctx, "messages")
	b.Cleanup(func() { _ = messages.Close() })
	if _, err := messages.Receive(ctx); err != nil {
		b.Fatal(err)
	}
	var fetch, pop, come []time.Duration
	for range b.N {
		fetch = append(fetch, wake(b, func() error {
			var got []byte
			return r.ws.Fetch(ctx, "wake", &got)
		}, func() bool {
			return rdb.ZCard(ctx, "nws:{bench}:waiters:wake").Val() == 1
		}, func() error { return r.ws.Store(ctx, "wake", []byte("x")) }))
		pop = append(pop, wake(b, func() error {
			return rdb.BLPop(ctx, time.Minute, "blocked").Err()
		}, func() bool {
			return strings.Contains(rdb.Info(ctx, "clients").Val(), "blocked_clients:1")
		}, func() error { return rdb.RPush(ctx, "blocked", "x").Err() }))
		if err := rdb.RPush(ctx, "there", "x").Err(); err != nil {
			b.Fatal(err)
		}
		looks := 0
		come = append(come, wake(b, func() error {
			if _, err := messages.ReceiveMessage(ctx); err != nil {
				return err
			}
			return rdb.LPop(ctx, "there").Err()
		}, func() bool {
			looks++
			return looks > 3 // it has certainly begun to wait, and if not, that is to its favour
		}, func() error { return rdb.Publish(ctx, "messages", "come").Err() }))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(median(fetch)), "fetch-p50-ns")
	b.ReportMetric(float64(median(pop)), "blpop-p50-ns")
	b.ReportMetric(float64(median(come)), "publish-lpop-p50-ns")
	b.ReportMetric(float64(median(fetch))/float64(median(pop)), "x-blpop")
	b.ReportMetric(float64(median(fetch))/float64(median(come)), "x-publish-lpop")
}

func wake(b *testing.B, wait func() error, waits func() bool, store func() error) time.Duration {
	var woken time.Time
	done := make(chan error)
	go func() {
		err := wait()
		woken = time.Now()
		done <- err
	}()
	for !waits() {
		time.Sleep(100 * time.Microsecond)
	}
	began := time.Now()
	if err := store(); err != nil {
		b.Fatal(err)
	}
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	return woken.Sub(began)
}
