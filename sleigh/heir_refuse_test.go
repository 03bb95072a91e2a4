package sleigh_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/sleigh"
)

// TestS13WrongFunction has another function ask for a job that waits for a master. That does the job no harm.
func TestS13WrongFunction(t *testing.T) {
	t.Parallel()
	_, _, master := heirs(t, "mem://", 2)
	const n = 1000
	o := &sleigh.JobOptions{Name: "fn", Chunk: 5}
	seen := map[int]int{}
	s := master()
	ctx, cancel := context.WithCancelCause(testContext(t))
	defer cancel(nil)
	err := square.Accumulate(ctx, s, upTo(n), o, func(i, v int) error {
		if seen[i]++; len(seen) == 500 {
			cancel(errEnough)
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Errorf("the first: %v", err)
	}
	stopNow(t, s)
	s = master()
	if _, err := doze.Attach(testContext(t), s, "fn", nil); err == nil || !strings.HasSuffix(err.Error(), "of another function: square") {
		t.Errorf("another function attaches: %v", err)
	}
	stopNow(t, s)
	err = square.Accumulate(testContext(t), master(), upTo(n), o, func(i, v int) error { seen[i]++; return nil })
	if err != nil || len(seen) != n || twiceOf(seen) > 0 {
		t.Errorf("the last: %v, %d of %d, %d given twice", err, len(seen), n, twiceOf(seen))
	}
}

// TestS13SameSleigh has a sleigh ask for a job that it has: each result comes once.
func TestS13SameSleigh(t *testing.T) {
	t.Parallel()
	_, _, master := heirs(t, "mem://", 2)
	const n = 300
	s := master()
	var mu sync.Mutex
	seen := map[int]int{}
	errs := make(chan error, 2)
	for range 2 {
		go func() {
			o := &sleigh.JobOptions{Name: "same", Chunk: 3}
			errs <- doze.Accumulate(testContext(t), s, upTo(n), o, func(i, v int) error {
				mu.Lock()
				defer mu.Unlock()
				seen[i]++
				return nil
			})
		}()
	}
	one, other := <-errs, <-errs
	if len(seen) != n || twiceOf(seen) > 0 {
		t.Errorf("%d of %d, %d given twice; %v, %v", len(seen), n, twiceOf(seen), one, other)
	}
}

// TestS13OneHeir has four masters want a job whose master has died: one gets it, the others are told who has it.
func TestS13OneHeir(t *testing.T) {
	if brief() {
		return
	}
	t.Parallel()
	needRedisServer(t)
	server := redistest.Start(t)
	proxy := redistest.StartProxy(t, server.Addr())
	rdb, cut := openAt(t, server.URL()), openAt(t, proxy.URL())
	disband(t, rdb, "heirs")
	dying := join(t, cut, "heirs", nil)
	defer proxy.Allow()
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	if _, err := squareOrWait.Submit(ctx, dying, heldUpTo(100), &sleigh.JobOptions{Name: "h"}); err != nil {
		t.Fatal(err)
	}
	proxy.Refuse()
	const n = 4
	errs := make(chan error, n)
	for range n {
		s := join(t, rdb, "heirs", nil)
		go func() {
			_, err := squareOrWait.Submit(testContext(t), s, heldUpTo(100), &sleigh.JobOptions{Name: "h"})
			errs <- err
		}()
	}
	got, told := 0, 0
	for range n {
		err := <-errs
		if _, ok := errors.AsType[*sleigh.HeldError](err); ok {
			told++
		} else if err == nil {
			got++
		} else {
			t.Error(err)
		}
	}
	if got != 1 || told != n-1 {
		t.Errorf("%d have it, %d were told", got, told)
	}
}

// TestS13Names has jobs of all kinds of names, which are attached to and listed; and refuses those that nobody could read.
func TestS13Names(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"mem://", "local://"} {
		t.Run(url[:3], func(t *testing.T) {
			t.Parallel()
			_, _, master := heirs(t, url, 2)
			s := master()
			for _, name := range []string{
				"a b", "ä€😀", "x\"y", "back\\slash", "{tag}", "a:b/c", "%d%s%%", "[a-z]*", `"pause":true`, "count:x",
				strings.Repeat("long ", 40), " ", "named:", "'", "</script>", "^$().[]*+-?",
			} {
				attachByName(t, s, name)
			}
			for _, name := range []string{
				"new\nline", "\x00", "\x7f", "\u0085", "\xff\xfe", strings.Repeat("long ", 40) + "x", strings.Repeat("long ", 5000),
			} {
				if _, err := square.Submit(testContext(t), s, upTo(30), &sleigh.JobOptions{Name: name}); err == nil {
					t.Errorf("Submit takes %.20q", name)
				}
				_, err := square.Attach(testContext(t), s, name, nil)
				if err == nil || errors.Is(err, sleigh.ErrNoJob) {
					t.Errorf("Attach of %.20q: %v", name, err)
				}
			}
		})
	}
}

// attachByName submits a job of this name, attaches to it, has all its results, and finds it among those that have finished.
func attachByName(t *testing.T, s *sleigh.Sleigh, name string) {
	t.Helper()
	job, err := square.Submit(testContext(t), s, upTo(30), &sleigh.JobOptions{Name: name})
	if err == nil {
		err = job.Detach(testContext(t))
	}
	if err == nil {
		job, err = square.Attach(testContext(t), s, name, nil)
	}
	if err != nil {
		t.Errorf("%.20q: %v", name, err)
		return
	}
	n := 0
	for _, err := range job.All(testContext(t)) {
		if err == nil {
			n++
		}
	}
	if n != 30 {
		t.Errorf("%.20q: %d results", name, n)
	}
	eventually(t, "it is listed", func() bool {
		all, err := s.Finished(testContext(t))
		return err == nil && slices.ContainsFunc(all, func(f sleigh.FinishedJob) bool { return f.Name == name })
	})
}
