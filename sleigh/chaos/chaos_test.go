package chaos

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	seedFlag = flag.Uint64("chaos.seed", 0, "what the chaos test does; 0: something new")
	forFlag  = flag.Duration("chaos.for", defaultFor(), "how long the chaos test harms the sleighs at least")
)

const (
	leastElements = 100_000 // whose results are checked
	patience      = 90 * time.Second
)

// defaultFor is what scripts/test --all says, or else short enough for each run.
func defaultFor() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("NETSPACES_CHAOS_FOR")); err == nil {
		return d
	}
	return 25 * time.Second
}

// TestChaos has two masters run jobs while all that the plan of a seed has in mind is done to them, their workers and Redis.
func TestChaos(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no /proc here to find processes in")
	}
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano() % 1_000_000)
	}
	t.Logf("to do the same again: go test ./sleigh/chaos -run Chaos -v -chaos.seed=%d -chaos.for=%v", seed, *forFlag)
	w := newWorld(t)
	t.Cleanup(func() {
		if t.Failed() {
			w.tell()
		}
	})
	p := play(w, seed)
	next, stop := iter.Pull(plan(seed))
	defer stop()
	steps := 0
	for !p.isEnough() && time.Since(w.began) < *forFlag*5/4 { // a machine that is busy does the rest in peace
		s, _ := next()
		w.sleepUntil(s.at)
		w.do(s)
		steps++
	}
	w.say("calm after %d steps and %d elements", steps, p.elements.Load())
	w.calm()
	if !p.wait() {
		t.Fatal("the jobs do not end")
	}
	w.say("the last job is done: %d elements in %d jobs, %d of them given up over dead workers",
		p.elements.Load(), p.jobs.Load(), p.poisoned.Load())
	if n := int(p.poisoned.Load()); n > w.blows/3 {
		t.Errorf("%d elements were given up, after %d times that a worker lost its tasks", n, w.blows)
	}
	if n := p.elements.Load(); n < leastElements {
		t.Errorf("there were %d elements", n)
	}
	if w.looks < steps/2 {
		t.Errorf("the numbers of jobs were looked at only %d times in %d steps", w.looks, steps)
	}
	for _, m := range w.masters {
		m.stop()
	}
	w.wantNothingLeft()
}

// players run jobs, one after the other on each seat.
type players struct {
	w        *world
	until    time.Time
	failed   context.Context // ends when one of them cannot go on
	fail     context.CancelFunc
	done     chan struct{} // closed when all are
	elements atomic.Int64
	jobs     atomic.Int64
	poisoned atomic.Int64
}

// seats are the masters that run a job each, by index. One of them has two at a time.
var seats = []int{0, 1, 1}

func play(w *world, seed uint64) *players {
	p := &players{w: w, until: w.began.Add(*forFlag), done: make(chan struct{})}
	p.failed, p.fail = context.WithCancel(context.Background())
	var running sync.WaitGroup
	for seat, i := range seats {
		running.Go(func() { p.sit(w.masters[i], jobs(seed, seat)) })
	}
	go func() {
		defer close(p.done)
		running.Wait()
	}()
	return p
}

func (p *players) sit(m *master, all iter.Seq[jobSpec]) {
	for j := range all {
		if p.isEnough() {
			return
		}
		began := time.Now()
		r, err := m.run(j)
		var poisoned int
		if err == nil {
			poisoned, err = j.verify(r, launched+ranks+volunteers)
		}
		if err != nil {
			p.w.t.Errorf("%s: job %+v: %v", m.spec.Name, j, err)
			p.fail()
			return
		}
		p.jobs.Add(1)
		p.poisoned.Add(int64(poisoned))
		what := fmt.Sprintf("%d elements of %s", j.N, m.spec.Name)
		if j.Workers {
			what = "each worker of " + m.spec.Name
		} else {
			p.elements.Add(int64(j.N))
		}
		p.w.say("        %s done in %v", what, time.Since(began).Round(time.Millisecond))
	}
}

// isEnough reports whether the time is over and enough is done, or whether it does not work out anyway.
func (p *players) isEnough() bool {
	return p.failed.Err() != nil || time.Now().After(p.until) && p.elements.Load() >= leastElements
}

// wait waits for the jobs that run, and goes on looking at their numbers: how often Redis was away before is the seed's.
func (p *players) wait() bool {
	late := time.After(patience)
	for {
		select {
		case <-p.done:
			return true
		case <-late:
			return false
		case <-time.After(100 * time.Millisecond):
			p.w.balance()
		}
	}
}

// wantNothingLeft checks that nothing of the sleighs is in Redis, and that no process of them lives.
func (w *world) wantNothingLeft() {
	keys, err := w.server.Redis().Keys(w.t.Context(), "*").Result()
	if err != nil || len(keys) > 0 {
		w.t.Errorf("keys left in Redis: %q, %v", keys, err)
	}
	for _, v := range w.volunteers {
		if v.cmd == nil {
			continue
		}
		select {
		case <-v.gone:
		case <-time.After(patience):
			w.t.Errorf("volunteer %d does not end", v.number)
		}
	}
	for _, p := range processes(w.mark) {
		if _, leads := w.known[p.group]; p.marked || leads && p.group != os.Getpid() {
			w.t.Errorf("left running: %v", p)
		}
	}
}

// tell logs what may explain a failure.
func (w *world) tell() {
	ctx := context.Background()
	rdb := w.server.Redis()
	keys, err := rdb.Keys(ctx, "*").Result()
	w.t.Logf("Redis has %q, %v", keys, err)
	for _, key := range keys {
		if strings.Contains(key, ":values:count:") {
			w.t.Logf("%s: %s", key, rdb.LIndex(ctx, key, 0).Val())
		}
	}
	for _, p := range processes(w.mark) {
		if p.marked {
			w.t.Logf("runs: %v", p)
		}
	}
	const most = 6 << 10
	for _, m := range w.masters {
		text, _ := os.ReadFile(m.errs)
		w.t.Logf("%s said:\n%s", m.spec.Name, text[max(0, len(text)-most):])
	}
	for _, v := range w.volunteers {
		text, _ := os.ReadFile(v.errs)
		w.t.Logf("volunteer %d said:\n%s", v.number, text[max(0, len(text)-most):])
	}
}
