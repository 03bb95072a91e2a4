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

	"github.com/redis/go-redis/v9"

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

// How long a blocked call takes from the store to its return, beside BLPOP, beside a message that brings its receiver the
// value (PUBLISH), and beside one that has its receiver come for it (PUBLISH, LPOP): Fetch cannot do with less, since a
// value that only a message has brought may go to somebody else while its receiver is stopped.
//
//	go test ./workspace -run '^$' -bench 'Wake$' -benchtime 1000x
func BenchmarkWake(b *testing.B) {
	needRedis(b)
	r := newBench(b)
	rdb, ctx := r.rdb.Redis(), b.Context()
	messages := rdb.Subscribe(ctx, "messages")
	b.Cleanup(func() { _ = messages.Close() })
	if _, err := messages.Receive(ctx); err != nil {
		b.Fatal(err)
	}
	var got []byte
	var claim *workspace.Claim
	for _, c := range []struct {
		name        string
		wait, after func() error
	}{
		{"Fetch", func() error { return r.ws.Fetch(ctx, "wake", &got) }, func() error { return nil }},
		{"Find", func() error { return r.ws.Find(ctx, "wake", &got) }, func() error {
			_, err := r.ws.TryFetch(ctx, "wake", &got)
			return err
		}},
		{"Claim", func() (err error) {
			claim, err = r.ws.Claim(ctx, "wake", nil)
			return err
		}, func() error { return claim.Settle(ctx, workspace.Outcome{Index: claim.Values[0].Index}) }},
	} {
		b.Run(c.name, func(b *testing.B) { r.wake(b, messages, c.wait, c.after) })
	}
}

func (r *bench) wake(b *testing.B, messages *redis.PubSub, wait, after func() error) {
	rdb, ctx := r.rdb.Redis(), b.Context()
	var verb, pop, bring, come []time.Duration
	for range b.N {
		verb = append(verb, wake(b, wait, func() bool {
			return rdb.ZCard(ctx, "nws:{bench}:waiters:wake").Val() == 1
		}, func() error { return r.ws.Store(ctx, "wake", []byte("x")) }))
		if err := after(); err != nil {
			b.Fatal(err)
		}
		pop = append(pop, wake(b, func() error {
			return rdb.BLPop(ctx, time.Minute, "blocked").Err()
		}, func() bool {
			return strings.Contains(rdb.Info(ctx, "clients").Val(), "blocked_clients:1")
		}, func() error { return rdb.RPush(ctx, "blocked", "x").Err() }))
		if err := rdb.RPush(ctx, "there", "x").Err(); err != nil {
			b.Fatal(err)
		}
		for _, goes := range []bool{false, true} {
			looks := 0
			took := wake(b, func() error {
				_, err := messages.ReceiveMessage(ctx)
				if err == nil && goes {
					err = rdb.LPop(ctx, "there").Err()
				}
				return err
			}, func() bool {
				looks++
				return rdb.Ping(ctx).Err() == nil && looks > 3 // it has certainly begun to wait, and if not, that is to its favour
			}, func() error { return rdb.Publish(ctx, "messages", "come").Err() })
			if goes {
				come = append(come, took)
			} else {
				bring = append(bring, took)
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(median(verb)), "p50-ns")
	b.ReportMetric(float64(median(pop)), "blpop-ns")
	b.ReportMetric(float64(median(bring)), "publish-ns")
	b.ReportMetric(float64(median(come)), "publish-lpop-ns")
	b.ReportMetric(float64(median(verb))/float64(median(pop)), "x-blpop")
	b.ReportMetric(float64(median(verb))/float64(median(bring)), "x-publish")
	b.ReportMetric(float64(median(verb))/float64(median(come)), "x-publish-lpop")
}

// Many blocked calls in one process, each woken by a store of its own into a variable of its own, beside the stores alone.
//
//	go test ./workspace -run '^$' -bench WakeMany -benchtime 5x
func BenchmarkWakeMany(b *testing.B) {
	needRedis(b)
	const callers = 10_000
	for _, verb := range []string{"Fetch", "Find", "Claim"} {
		b.Run(verb, func(b *testing.B) {
			r := newBench(b)
			var woken, alone []time.Duration
			for range b.N {
				woken = append(woken, r.wakeMany(b, callers, verb))
				alone = append(alone, r.wakeMany(b, callers, ""))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(woken).Seconds()*1000, "ms")
			b.ReportMetric(median(alone).Seconds()*1000, "stores-ms")
			b.ReportMetric(float64(median(woken))/float64(median(alone)), "x-stores")
		})
	}
}

// wakeMany gives the time from the first store until all are awake, by 64 goroutines that store.
func (r *bench) wakeMany(b *testing.B, callers int, verb string) time.Duration {
	ctx := b.Context()
	ws, err := workspace.OpenTemporary(ctx, r.rdb, "many_%d", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = ws.Close() }()
	variable := func(i int) string { return fmt.Sprint("v", i) }
	for i := range callers {
		if err := ws.Declare(ctx, variable(i), workspace.FIFO); err != nil {
			b.Fatal(err)
		}
	}
	var waiting, storing sync.WaitGroup
	for i := 0; verb != "" && i < callers; i++ {
		waiting.Go(func() {
			var got []byte
			var err error
			switch verb {
			case "Fetch":
				err = ws.Fetch(ctx, variable(i), &got)
			case "Find":
				err = ws.Find(ctx, variable(i), &got)
			case "Claim":
				_, err = ws.Claim(ctx, variable(i), nil)
			}
			if err != nil {
				b.Error(err)
			}
		})
	}
	for waits := 0; verb != "" && waits < callers; {
		waits = 0
		variables, err := ws.ListVars(ctx)
		if err != nil {
			b.Fatal(err)
		}
		for _, v := range variables {
			waits += v.Fetchers + v.Finders
		}
	}
	began := time.Now()
	for first := range 64 {
		storing.Go(func() {
			for i := first; i < callers; i += 64 {
				if err := ws.Store(ctx, variable(i), []byte("x")); err != nil {
					b.Error(err)
				}
			}
		})
	}
	storing.Wait()
	waiting.Wait()
	return time.Since(began)
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
