package sleigh_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/sleigh"
)

// TestS13EachWorkerGap calls EachWorker in a team some rank of which is free: it runs on those that are there.
func TestS13EachWorkerGap(t *testing.T) {
	t.Parallel()
	rdb := open(t, "mem://")
	disband(t, rdb, "gap")
	first := join(t, rdb, "gap", &sleigh.Options{Launch: sleigh.InProcess(1)})
	second := join(t, rdb, "gap", &sleigh.Options{Launch: sleigh.InProcess(1)})
	awaitRanks(t, second, 0, 1)
	stopNow(t, first)
	third := join(t, rdb, "gap", nil)
	eventually(t, "one is left", func() bool { return len(ranksOf(t, third)) == 1 })
	got, err := identify.EachWorker(testContext(t), third, 0)
	if err != nil || len(got) != 1 {
		t.Errorf("EachWorker: %v, %v", got, err)
	}
}

// TestS13InitialiseAgain runs a program that calls Initialise again and again: a worker that joins has it to run but once.
func TestS13InitialiseAgain(t *testing.T) {
	t.Parallel()
	rdb, name, master := heirs(t, "mem://", 1)
	for range 5 {
		s := master()
		eventually(t, "the worker is there", func() bool { return s.Workers() == 1 })
		if _, err := identify.Initialise(testContext(t), s, 0); err != nil {
			t.Fatal(err)
		}
		stopNow(t, s)
	}
	if n := rdb.Redis().LLen(t.Context(), "nws:{"+name+"}:values:init").Val(); n != 1 {
		t.Errorf("a worker that joins has %d functions to run first, of 5 masters of the same program", n)
	}
}

// TestS13DisbandUnder disbands a team while another master has jobs: these end by an error, as do its later calls.
func TestS13DisbandUnder(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		name := "under " + t.Name()
		one := join(t, rdb, name, &sleigh.Options{Launch: sleigh.InProcess(1)})
		two := join(t, rdb, name, &sleigh.Options{Launch: sleigh.InProcess(1)})
		errs := make(chan error, 2)
		for _, o := range []*sleigh.JobOptions{{Name: "n"}, nil} {
			go func() {
				_, err := wait.EachElem(within(t, patience), one, upTo(20), o)
				errs <- err
			}()
		}
		fetch[visit](t, one.User(), "begun")
		if err := two.Disband(testContext(t)); err != nil {
			t.Errorf("Disband: %v", err)
		}
		for range 2 {
			if err := <-errs; err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("EachElem of the other master: %v", err)
			}
		}
		if _, err := square.EachElem(within(t, patience), one, upTo(3), nil); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("EachElem after Disband: %v", err)
		}
		stopNow(t, one)
		if err := one.Disband(testContext(t)); err != nil {
			t.Errorf("Disband after that: %v", err)
		}
		wantNoKeys(t, rdb, name)
	})
}

// TestS13VolunteersBefore has workers that are there before the first master, one of which loses Redis for a while in the middle
// of a job. Each result comes once, and both have run what was to be run first.
func TestS13VolunteersBefore(t *testing.T) {
	if brief() {
		return
	}
	t.Parallel()
	needRedisServer(t)
	server := redistest.Start(t)
	proxy := redistest.StartProxy(t, server.Addr())
	rdb, cut := openAt(t, server.URL()), openAt(t, proxy.URL())
	disband(t, rdb, "before")
	volunteer(t, cut, "before")
	volunteer(t, rdb, "before")
	time.Sleep(time.Second) // in which they find no team
	s := join(t, rdb, "before", &sleigh.Options{Lease: 2 * time.Second})
	awaitRanks(t, s, 0, 1)
	if _, err := identify.Initialise(testContext(t), s, 0); err != nil {
		t.Error(err)
	}
	const n = 8000
	done := make(chan error, 1)
	seen := map[int]int{}
	go func() {
		done <- doze.Accumulate(testContext(t), s, upTo(n), &sleigh.JobOptions{Name: "b"}, func(i, v int) error { seen[i]++; return nil })
	}()
	eventually(t, "it is under way", func() bool { return len(keysOf(t, rdb, "nws:{before}:values:state:*")) > 0 })
	proxy.Refuse()
	time.Sleep(12 * time.Second) // six leases
	proxy.Allow()
	if err := <-done; err != nil || len(seen) != n || twiceOf(seen) > 0 {
		t.Errorf("%v, %d of %d, %d twice", err, len(seen), n, twiceOf(seen))
	}
	eventually(t, "both are back", func() bool { return len(ranksOf(t, s)) == 2 })
	ids, err := identify.EachWorker(testContext(t), s, 0)
	if err != nil || len(ids) != 2 {
		t.Errorf("EachWorker: %v, %v", ids, err)
	}
}
