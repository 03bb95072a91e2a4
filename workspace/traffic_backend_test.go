package workspace_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// hangs is after what time a test gives up. It is no measure of anything.
const hangs = 150 * time.Second

// traffic is many calls on one workspace by several clients, while something happens to its servers: nothing may be lost
// or doubled, and no call may fail.
type traffic struct {
	*testing.T
	ctx     context.Context
	ws      *workspace.Workspace
	others  []*workspace.Workspace
	url     string
	retries *retries

	running          sync.WaitGroup
	stopStoring      context.CancelFunc
	stopTaking       context.CancelFunc
	stored, found    atomic.Int64
	fetched, settled *times
	blocked          chan string // what the calls got that wait from the beginning to the end
}

const (
	storers, takers, blockers = 2, 3, 6
	busyFor                   = 40 // calls of each kind that show that all goes on
)

// times counts how often each value came.
type times struct {
	mu sync.Mutex
	of map[string]int
}

func (t *times) add(value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of[value]++
}

func (t *times) total() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.of)
}

// retries notes why calls were tried again.
type retries struct {
	slog.Handler

	mu  sync.Mutex
	why []string
}

func (r *retries) Enabled(context.Context, slog.Level) bool { return true }

func (r *retries) Handle(_ context.Context, record slog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	record.Attrs(func(a slog.Attr) bool {
		r.why = append(r.why, a.String())
		return true
	})
	return nil
}

func (r *retries) saw(text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, why := range r.why {
		if strings.Contains(why, text) {
			return true
		}
	}
	return false
}

// startTraffic begins it, and returns when all goes well.
func startTraffic(t *testing.T, url string) *traffic {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), hangs)
	t.Cleanup(cancel)
	c := &traffic{
		T: t, ctx: ctx, url: url, retries: &retries{Handler: slog.DiscardHandler},
		fetched: &times{of: map[string]int{}}, settled: &times{of: map[string]int{}}, blocked: make(chan string, 2*blockers),
	}
	ws, err := workspace.Open(ctx, c.client(), t.Name()[strings.LastIndex(t.Name(), "/")+1:], nil)
	c.must(err)
	c.ws = ws
	t.Cleanup(func() {
		if err := ws.Close(); err != nil {
			t.Errorf("closing the workspace: %v", err)
		}
	})
	c.must(ws.Declare(ctx, "done", workspace.FIFO))
	for range 2 {
		other, err := workspace.Use(ctx, c.client(), ws.Name(), false)
		c.must(err)
		t.Cleanup(func() { _ = other.Close() })
		c.others = append(c.others, other)
	}
	t.Cleanup(func() { // before anything is closed, should the test have failed in the middle
		cancel()
		c.running.Wait()
	})
	c.block()
	c.store()
	c.take()
	c.goesOn()
	return c
}

func (c *traffic) client() *redisx.Client {
	c.Helper()
	rdb, err := redisx.Open(c.ctx, c.url, &redisx.Options{Logger: slog.New(c.retries)})
	c.must(err)
	c.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func (c *traffic) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// key is the one by which a cluster finds the workspace.
func (c *traffic) key() string { return "nws:{" + c.ws.Name() + "}:ws" }

// block has callers wait for values that come at the end only.
func (c *traffic) block() {
	for i := range blockers {
		other := c.others[i%len(c.others)]
		c.running.Go(func() { c.wait(other.Fetch, "fetched-late") })
		c.running.Go(func() { c.wait(other.Find, "found-late") })
	}
}

func (c *traffic) wait(call func(context.Context, string, any) error, variable string) {
	var value string
	if err := call(c.ctx, variable, &value); err != nil && c.ctx.Err() == nil {
		c.Errorf("waiting for %s: %v", variable, err)
	}
	c.blocked <- value
}

// store stores the numbers from 0 on, those of one storer in two variables.
func (c *traffic) store() {
	ctx, stop := context.WithCancel(c.ctx)
	c.stopStoring = stop
	var next atomic.Int64
	for range storers {
		c.running.Go(func() {
			for ctx.Err() == nil {
				i := next.Add(1) - 1
				if err := errors.Join(c.ws.Store(c.ctx, "fetch", i), c.ws.Store(c.ctx, "claim", i)); err != nil {
					c.Errorf("Store of %d: %v", i, err)
					return
				}
				c.stored.Add(1)
			}
		})
	}
}

// take has other clients fetch, find, and claim and settle what is stored.
func (c *traffic) take() {
	ctx, stop := context.WithCancel(c.ctx)
	c.stopTaking = stop
	for i := range takers {
		other := c.others[i%len(c.others)]
		c.running.Go(func() {
			c.loop(ctx, "Fetch", func() error {
				var value int
				err := other.Fetch(ctx, "fetch", &value)
				if err == nil {
					c.fetched.add(strconv.Itoa(value))
				}
				return err
			})
		})
		c.running.Go(func() {
			c.loop(ctx, "Claim", func() error {
				claim, err := other.Claim(ctx, "claim", &workspace.ClaimOptions{Max: 2, Lease: time.Hour})
				if err != nil {
					return err
				}
				var outcomes []workspace.Outcome
				for _, v := range claim.Values {
					outcomes = append(outcomes, workspace.Outcome{Index: v.Index, Into: "done", Value: v.Text})
				}
				return claim.Settle(c.ctx, outcomes...)
			})
		})
	}
	c.running.Go(func() {
		c.loop(ctx, "FetchN", func() error {
			values, err := c.ws.FetchN(ctx, "done", 10)
			for _, value := range values {
				c.settled.add(string(value))
			}
			return err
		})
	})
	c.running.Go(func() {
		c.must(c.ws.Store(c.ctx, "constant", 1))
		c.loop(ctx, "Find", func() error {
			var value int
			err := c.others[0].Find(ctx, "constant", &value)
			c.found.Add(1)
			return err
		})
	})
}

// loop repeats a call until it ends with its context.
func (c *traffic) loop(ctx context.Context, what string, call func() error) {
	for {
		err := call()
		if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
			return
		}
		if err != nil {
			c.Errorf("%s: %v", what, err)
			return
		}
	}
}

// goesOn waits until many more calls of each kind have come to their end.
func (c *traffic) goesOn() {
	c.Helper()
	counts := func() [4]int64 {
		return [4]int64{c.stored.Load(), c.found.Load(), int64(c.fetched.total()), int64(c.settled.total())}
	}
	before := counts()
	c.eventually(func() bool {
		for i, n := range counts() {
			if n < before[i]+busyFor {
				return false
			}
		}
		return true
	}, func() string { return fmt.Sprintf("calls that ended: %d before, %d now", before, counts()) })
}

func (c *traffic) eventually(ok func() bool, otherwise func() string) {
	c.Helper()
	for pause := time.Millisecond; !ok(); pause = min(2*pause, 50*time.Millisecond) {
		if c.ctx.Err() != nil || c.Failed() {
			c.Fatalf("it does not go on: %s", otherwise())
		}
		time.Sleep(pause)
	}
}

// end checks that all that was stored came once, and that those who have waited all the time get what they wait for.
func (c *traffic) end() {
	c.Helper()
	c.stopStoring()
	for i := range blockers {
		c.must(c.ws.Store(c.ctx, "fetched-late", fmt.Sprint(i)))
	}
	c.must(c.ws.Store(c.ctx, "found-late", "found"))
	came := &times{of: map[string]int{}}
	for range 2 * blockers {
		select {
		case value := <-c.blocked:
			came.add(value)
		case <-c.ctx.Done():
			c.Fatalf("who waits hangs; what came: %v", came.of)
		}
	}
	if came.of["found"] != blockers {
		c.Errorf("%d finders found something, want %d", came.of["found"], blockers)
	}
	delete(came.of, "found")
	c.once("fetched late", came, blockers)
	// A storer may have been in the middle of its last value.
	c.eventually(func() bool {
		infos, err := c.ws.ListVars(c.ctx)
		c.must(err)
		left := 0
		for _, info := range infos {
			if info.Name == "fetch" || info.Name == "claim" || info.Name == "done" {
				left += info.Values + info.Claimed
			}
		}
		n := int(c.stored.Load())
		return left == 0 && c.fetched.total() == n && c.settled.total() == n
	}, func() string {
		return fmt.Sprintf("%d stored, %d fetched, %d settled", c.stored.Load(), c.fetched.total(), c.settled.total())
	})
	c.stopTaking()
	c.running.Wait()
	c.once("fetched", c.fetched, int(c.stored.Load()))
	c.once("settled", c.settled, int(c.stored.Load()))
	infos, err := c.ws.ListVars(c.ctx)
	c.must(err)
	for _, info := range infos {
		if info.Fetchers+info.Finders > 0 {
			c.Errorf("somebody still waits: %+v", info)
		}
	}
	c.Logf("%d values", c.stored.Load())
}

func (c *traffic) once(what string, came *times, n int) {
	c.Helper()
	came.mu.Lock()
	defer came.mu.Unlock()
	for i := range n {
		if times := came.of[strconv.Itoa(i)]; times != 1 {
			c.Errorf("value %d was %s %d times", i, what, times)
		}
	}
	if len(came.of) != n {
		c.Errorf("%d values were %s, want %d", len(came.of), what, n)
	}
}
