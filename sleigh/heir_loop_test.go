package sleigh_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// TestS13Interrupt ends the context of Submit and All in the middle of the loop, as a Ctrl-C does. What the loop was given
// counts as used.
func TestS13Interrupt(t *testing.T) {
	t.Parallel()
	_, _, master := heirs(t, "mem://", 2)
	const n = 1000
	s := master()
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	o := &sleigh.JobOptions{Name: "csv", Chunk: 5}
	job, err := square.Submit(ctx, s, upTo(n), o)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]int{}
	for r, err := range job.All(ctx) {
		if err != nil {
			break
		}
		if seen[r.Index]++; len(seen) < 100 {
			time.Sleep(2 * time.Millisecond) // a loop that writes
		}
		if len(seen) == 100 {
			cancel()
		}
	}
	stopNow(t, s)
	again, err := square.Submit(testContext(t), master(), upTo(n), o)
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range again.All(testContext(t)) {
		if err != nil {
			t.Fatal(err)
		}
		seen[r.Index]++
	}
	if len(seen) != n || twiceOf(seen) > 1 { // that which it was about when its context ended
		t.Errorf("%d of %d, %d given twice", len(seen), n, twiceOf(seen))
	}
}

// TestS13ReplacedLoop has a master lose Redis for longer than 6 s while its loop is slow, and go on when another one has the
// job. It is not given what the other one is given.
func TestS13ReplacedLoop(t *testing.T) {
	if brief() {
		return
	}
	t.Parallel()
	needRedisServer(t)
	server := redistest.Start(t)
	proxy := redistest.StartProxy(t, server.Addr())
	rdb, cut := openAt(t, server.URL()), openAt(t, proxy.URL())
	disband(t, rdb, "replaced")
	join(t, rdb, "replaced", &sleigh.Options{Launch: sleigh.InProcess(2), Lease: time.Second})
	old, other := join(t, cut, "replaced", nil), join(t, rdb, "replaced", nil)
	const n = 1000
	o := &sleigh.JobOptions{Name: "r", Chunk: 5}
	job, err := squareOrWait.Submit(testContext(t), old, heldUpTo(n), o)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	seen := map[int]int{}
	give := func(i int) int { mu.Lock(); defer mu.Unlock(); seen[i]++; return len(seen) }
	away, taken, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		var last error
		for r, err := range job.All(testContext(t)) {
			if last = err; err != nil {
				break
			}
			if give(r.Index) == 100 {
				time.Sleep(time.Second) // so that Redis knows of these
				proxy.Refuse()
				close(away)
				select {
				case <-taken:
				case <-t.Context().Done():
				}
				proxy.Allow()
				time.Sleep(3 * time.Second) // it hears that it was replaced
			}
		}
		ended <- last
	}()
	select {
	case <-away:
	case err := <-ended:
		t.Fatalf("the old one ended by %v", err)
	}
	successor, err := squareOrWait.Submit(testContext(t), other, heldUpTo(n), o)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for r, err := range successor.All(testContext(t)) {
		if err != nil {
			t.Fatal(err)
		}
		if give(r.Index); r.Index == n-1 || count == n-150 {
			openGate(t, other.User())
		}
		if count++; count == 500 {
			close(taken)
		}
	}
	last := <-ended
	if twiceOf(seen) > 1 || len(seen) != n+1 {
		t.Errorf("%d of %d were given, %d twice; the old one ended by %v", len(seen), n+1, twiceOf(seen), last)
	}
}

// TestS13FrozenNote leaves a job while the reply to a note of what was used is late: nothing is dropped twice.
func TestS13FrozenNote(t *testing.T) {
	if brief() {
		return
	}
	t.Parallel()
	needRedisServer(t)
	server := redistest.Start(t)
	proxy := redistest.StartProxy(t, server.Addr())
	rdb, frozen := openAt(t, server.URL()), openAt(t, proxy.URL())
	disband(t, rdb, "frozen")
	join(t, rdb, "frozen", &sleigh.Options{Launch: sleigh.InProcess(2), Lease: time.Second})
	for round := range 3 {
		leaveFrozen(t, rdb, frozen, proxy, fmt.Sprint("f", round))
	}
}

func leaveFrozen(t *testing.T, rdb, frozen *redisx.Client, proxy *redistest.Proxy, name string) {
	t.Helper()
	const n = 1000
	s := join(t, frozen, "frozen", nil)
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	job, err := squareOrWait.Submit(ctx, s, heldUpTo(n), &sleigh.JobOptions{Name: name, Chunk: 2})
	if err != nil {
		t.Fatal(err)
	}
	awaitDone(t, job.Check, n)
	seen := map[int]int{}
	for r, err := range job.All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		seen[r.Index]++
		time.Sleep(time.Millisecond) // a loop that writes
		if len(seen) == 300 {
			proxy.Freeze()
		}
		if len(seen) == 600 { // a note is on its way
			break
		}
	}
	cancel()
	time.Sleep(1500 * time.Millisecond) // the reply is that late
	proxy.Thaw()
	stopNow(t, s)
	next, err := squareOrWait.Attach(testContext(t), join(t, rdb, "frozen", nil), name, nil)
	if err != nil {
		t.Fatal(err)
	}
	user, err := workspace.Use(t.Context(), rdb, "frozen/user", false)
	if err != nil {
		t.Fatal(err)
	}
	defer user.Close()
	openGate(t, user)
	for r, err := range next.All(testContext(t)) {
		if err != nil {
			t.Errorf("%s: %v", name, err)
			break
		}
		seen[r.Index]++
	}
	if len(seen) != n+1 {
		t.Errorf("%s: %d of %d, %d twice", name, len(seen), n+1, twiceOf(seen))
	}
	fetch[bool](t, user, "gate")
}
