package redisx

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/redisx/redistest"
)

// connectAll has each connection connected, so that single calls are sent alone.
func connectAll(t *testing.T, rdb *Client) {
	t.Helper()
	for _, w := range rdb.single.wires {
		c := &call{script: join, keys: []string{"k"}, args: []any{"first"}}
		w.send(t.Context(), []*call{c})
		if err := c.err; err != nil || w.wary != 0 {
			t.Fatal(err, w.wary)
		}
	}
}

// busy has n calls on their way to a server that is paused, and gives the way to let them end.
func busy(t *testing.T, s *redistest.Server, rdb *Client, n int) (release func()) {
	t.Helper()
	connectAll(t, rdb)
	s.Pause()
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() {
			if _, err := rdb.Run(context.Background(), join, []string{"k"}, i); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "the calls are under way", func() bool {
		rdb.single.mu.Lock()
		defer rdb.single.mu.Unlock()
		return len(rdb.single.free) == max(0, maxSending-n) && len(rdb.single.pending) == max(0, n-maxSending)
	})
	return func() {
		s.Resume()
		running.Wait()
	}
}

func mustBeUnknown(t *testing.T, err, reason error) {
	t.Helper()
	if unknown, ok := errors.AsType[*UnknownError](err); !ok || !errors.Is(err, reason) || unknown.Script != "join" {
		t.Errorf("got %v, want an UnknownError for %v", err, reason)
	}
}

func TestRunEndsUnderWay(t *testing.T) {
	s := redistest.Start(t)
	rdb := mustOpen(t, s.URL()+"?read_timeout=1h")
	release := busy(t, s, rdb, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := rdb.Run(ctx, join, []string{"k"}, "mine")
	mustBeUnknown(t, err, context.DeadlineExceeded)
	release()
	if _, err := rdb.Run(t.Context(), join, []string{"k"}, "next"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestRunEndsQueued(t *testing.T) {
	s := redistest.Start(t)
	rdb := mustOpen(t, s.URL()+"?read_timeout=1h")
	release := busy(t, s, rdb, maxSending)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := rdb.Run(ctx, join, []string{"k"}, "mine")
	if err != ctx.Err() { //nolint:errorlint // As it is.
		t.Errorf("got %v", err)
	}
	release()
	members, err := s.Redis().SMembers(t.Context(), "k").Result()
	if err != nil || strings.Contains(fmt.Sprint(members), "mine") {
		t.Errorf("it was done: %v, %v", members, err)
	}
}

// TestRunEndsInPipeline has a call leave a pipeline that it shares with others.
func TestRunEndsInPipeline(t *testing.T) {
	s := redistest.Start(t)
	rdb := mustOpen(t, s.URL()+"?read_timeout=1h")
	release := busy(t, s, rdb, maxSending)
	// The calls under way cannot be seen to take up the next batch while the server is paused: take it up by hand.
	ctx, cancel := context.WithCancel(t.Context())
	mine := make(chan error, 1)
	go func() {
		_, err := rdb.Run(ctx, join, []string{"k"}, "mine")
		mine <- err
	}()
	var others sync.WaitGroup
	for range 2 {
		others.Go(func() {
			if _, err := rdb.Run(context.Background(), join, []string{"k"}, "other"); err != nil {
				t.Errorf("another one: %v", err)
			}
		})
	}
	b := rdb.single
	eventually(t, "the calls are queued", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.pending) == 3
	})
	b.running.Go(func() { b.sendPending(newLateWire(t, rdb)) })
	eventually(t, "the pipeline is under way", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.pending) == 0
	})
	cancel()
	mustBeUnknown(t, <-mine, context.Canceled)
	release()
	others.Wait()
}

// newLateWire is a third connection, for the pipeline that a test makes.
func newLateWire(t *testing.T, rdb *Client) *wire {
	o := alone(*rdb.single.wires[0].rdb.Options())
	o.MaxRetries = -1
	w := newWire(func() *redis.Client { return redis.NewClient(o) })
	t.Cleanup(func() { _ = w.rdb.Close() })
	return w
}

func TestRunEndsBackingOff(t *testing.T) {
	s := redistest.Start(t)
	rdb := mustOpen(t, s.URL())
	if _, err := rdb.Run(t.Context(), join, []string{"k"}, "first"); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	// The first calls may find their connections cut only after they were sent. Soon there is none, and nothing can be sent.
	var err error
	for range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err = rdb.Run(ctx, join, []string{"k"}, "mine")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if err == ctx.Err() { //nolint:errorlint // As it is.
			return
		}
	}
	t.Errorf("nothing was sent, and it says %v", err)
}

func TestRunGivesUp(t *testing.T) {
	s := redistest.Start(t)
	rdb := mustOpen(t, s.URL()+"?retry=50ms")
	if _, err := rdb.Run(t.Context(), join, []string{"k"}, "first"); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	_, _ = rdb.Run(t.Context(), join, []string{"k"}, "second") // uses up the connections
	_, err := rdb.Run(t.Context(), join, []string{"k"}, "third")
	_, unsure := errors.AsType[*UnknownError](err)
	if err == nil || unsure || !strings.Contains(err.Error(), "certainly not been done") ||
		!strings.Contains(err.Error(), "refused") {
		t.Errorf("without a server: %v", err)
	}

	s.Restart()
	silent, err := Open(t.Context(), s.URL()+"?read_timeout=20ms", &Options{Retry: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	if _, err := silent.Run(t.Context(), join, []string{"k"}, "fourth"); err != nil {
		t.Fatal(err)
	}
	s.Pause()
	_, err = silent.Run(t.Context(), join, []string{"k"}, "fifth")
	s.Resume()
	if _, unsure := errors.AsType[*UnknownError](err); !unsure || !strings.Contains(err.Error(), "no success in 50ms") {
		t.Errorf("without an answer: %v", err)
	}
}

// TestRunAgain has calls survive what may happen to a server.
func TestRunAgain(t *testing.T) {
	s := redistest.Start(t)
	rdb := mustOpen(t, s.URL())
	counts, stop := joining(t, rdb, "a", "b", "c")
	defer stop()
	goOn(t, counts)
	if err := s.Redis().ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	goOn(t, counts)
	for range 3 {
		if err := s.Redis().ClientKillByFilter(t.Context(), "TYPE", "normal", "SKIPME", "yes").Err(); err != nil {
			t.Fatal(err)
		}
		goOn(t, counts)
	}
	s.Restart()
	goOn(t, counts)
}

// TestRunEndsAnywhere has many contexts end at any moment, and then looks at what was done.
func TestRunEndsAnywhere(t *testing.T) {
	s := redistest.Start(t)
	for name, open := range map[string]func() (*Client, error){
		"redis":    func() (*Client, error) { return Open(t.Context(), s.URL(), nil) },
		"embedded": func() (*Client, error) { return Open(t.Context(), "mem://", nil) },
	} {
		t.Run(name, func(t *testing.T) {
			rdb, err := open()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = rdb.Close() }()
			const goroutines, each, sample = 16, 200, 50
			began := time.Now()
			for range sample {
				if _, err := rdb.Run(t.Context(), join, []string{"done"}, "first"); err != nil {
					t.Fatal(err)
				}
			}
			longest := 20 * time.Since(began) / sample
			errs := make([][each]error, goroutines)
			var running sync.WaitGroup
			for g := range goroutines {
				running.Go(func() {
					for i := range each {
						ctx, cancel := context.WithTimeout(t.Context(), rand.N(longest))
						_, errs[g][i] = rdb.Run(ctx, join, []string{"done"}, fmt.Sprint(g, "-", i))
						cancel()
					}
				})
			}
			running.Wait()
			// What nobody waits for any more is over once these are.
			for range 3 * maxSending {
				running.Go(func() {
					if _, err := rdb.Run(t.Context(), join, []string{"done"}, "last"); err != nil {
						t.Error(err)
					}
				})
			}
			running.Wait()
			members, err := rdb.Redis().SMembersMap(t.Context(), "done").Result()
			if err != nil {
				t.Fatal(err)
			}
			succeeded, unsure, never := 0, 0, 0
			for g := range errs {
				for i, err := range errs[g] {
					_, done := members[fmt.Sprint(g, "-", i)]
					_, unknown := errors.AsType[*UnknownError](err)
					switch {
					case err == nil && done:
						succeeded++
					case unknown && errors.Is(err, context.DeadlineExceeded):
						unsure++
					case err == context.DeadlineExceeded && !done: //nolint:errorlint // As it is.
						never++
					default:
						t.Errorf("%d-%d: done %v, and it says %v", g, i, done, err)
					}
				}
			}
			t.Logf("%d succeeded, %d unknown, %d certainly not done", succeeded, unsure, never)
			if succeeded == 0 || unsure == 0 || never == 0 {
				t.Error("the contexts did not end at different moments")
			}
		})
	}
}

func TestRunRefused(t *testing.T) {
	rdb := mustOpen(t, redistest.Start(t).URL())
	_, err := rdb.Run(t.Context(), NewScript("bad", `return redis.error_reply('MINE is broken')`), nil)
	if err == nil || err.Error() != "MINE is broken" {
		t.Errorf("got %v", err)
	}
	reply, err := rdb.Run(t.Context(), NewScript("nothing", `return false`), nil)
	if reply != nil || err != nil {
		t.Errorf("got %v, %v", reply, err)
	}
}

// TestRunTellsNothing has a server repeat what it was sent.
func TestRunTellsNothing(t *testing.T) {
	addr := fakeRedis(t, func(args []string) string {
		switch args[0] {
		case "ping":
			return "+PONG"
		case "evalsha":
			return "-ERR unknown command 'AUTH', with args beginning with: '" + secret + "'"
		case "auth":
			return "+OK"
		default:
			return "-ERR unknown command"
		}
	})
	_, err := mustOpen(t, "redis://:"+secret+"@"+addr).Run(t.Context(), join, []string{"k"}, "a")
	if err == nil || !strings.Contains(err.Error(), "left out") {
		t.Errorf("got %v", err)
	}
	mustNotTell(t, err, secret)
}

// TestCloseDuringCalls has calls in all phases when the client is closed.
func TestCloseDuringCalls(t *testing.T) {
	s := redistest.Start(t)
	rdb, err := Open(t.Context(), s.URL()+"?read_timeout=1h", nil)
	if err != nil {
		t.Fatal(err)
	}
	connectAll(t, rdb)
	s.Pause()
	const calls = maxSending + 3
	errs := make(chan error, calls)
	for i := range calls {
		go func() {
			_, err := rdb.Run(context.Background(), join, []string{"k"}, i)
			errs <- err
		}()
	}
	eventually(t, "the calls are on their way", func() bool {
		rdb.single.mu.Lock()
		defer rdb.single.mu.Unlock()
		return len(rdb.single.pending) == calls-maxSending
	})
	if err := rdb.Close(); err != nil {
		t.Error(err)
	}
	unsure := 0
	for range calls {
		err := <-errs
		if !errors.Is(err, redis.ErrClosed) {
			t.Errorf("got %v", err)
		}
		if _, ok := errors.AsType[*UnknownError](err); ok {
			unsure++
		}
	}
	if unsure != maxSending {
		t.Errorf("%d calls are unknown, want %d", unsure, maxSending)
	}
	s.Resume()
	if _, err := rdb.Run(t.Context(), join, []string{"k"}, "late"); !errors.Is(err, redis.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// Many calls at a time have two connections, few have one.
func TestSecondConnectionIsClosedWhenIdle(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	rdb := mustOpen(t, s.URL())
	echo := NewScript("echo", `return ARGV[1]`)
	burst := func() {
		var calls sync.WaitGroup
		for i := range 200 {
			calls.Go(func() {
				if got, err := rdb.Run(t.Context(), echo, []string{"k"}, i); err != nil || got != strconv.Itoa(i) {
					t.Errorf("%v, %v", got, err)
				}
			})
		}
		calls.Wait()
	}
	connections := func() int {
		list, err := s.Redis().ClientList(t.Context()).Result()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(list, "cmd=eval")
	}
	for range 2 { // the second time, connections that were closed are made again
		before := rdb.Retries()
		burst()
		if n := connections(); n > maxSending {
			t.Errorf("%d connections", n)
		}
		if n := rdb.Retries() - before; n > 0 {
			t.Errorf("%d calls were sent again", n)
		}
		eventually(t, "one connection is left", func() bool { return connections() <= 1 })
	}
}
