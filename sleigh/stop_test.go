package sleigh_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// wantStopped checks that each call of a sleigh says so.
func wantStopped(t *testing.T, s *sleigh.Sleigh) {
	t.Helper()
	if _, err := square.EachElem(t.Context(), s, upTo(3), nil); !errors.Is(err, sleigh.ErrStopped) {
		t.Errorf("EachElem: %v", err)
	}
	if _, err := square.EachElem(t.Context(), s, upTo(0), nil); !errors.Is(err, sleigh.ErrStopped) {
		t.Errorf("EachElem of nothing: %v", err)
	}
	if _, err := square.EachWorker(t.Context(), s, 3); !errors.Is(err, sleigh.ErrStopped) {
		t.Errorf("EachWorker: %v", err)
	}
}

// TestS13StopDuringCalls stops while functions wait for what never comes.
func TestS13StopDuringCalls(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		ended := make(chan error, 3)
		go func() {
			_, err := wait.EachElem(testContext(t), s, upTo(100), nil)
			ended <- err
		}()
		go func() {
			_, err := wait.EachElem(testContext(t), s, iter.Seq[int](func(yield func(int) bool) {
				for i := 0; yield(i); i++ {
					continue
				}
			}), nil)
			ended <- err
		}()
		go func() {
			_, err := wait.EachWorker(testContext(t), s, 7)
			ended <- err
		}()
		for range 4 { // two elements, and two ranks
			fetch[visit](t, s.User(), "begun")
		}
		var stopping sync.WaitGroup
		for range 3 {
			stopping.Go(func() {
				if err := s.Stop(testContext(t)); err != nil {
					t.Errorf("Stop: %v", err)
				}
				wantStopped(t, s)
			})
		}
		for range 3 {
			if err := <-ended; !errors.Is(err, sleigh.ErrStopped) {
				t.Errorf("a call under way: %v", err)
			}
		}
		stopping.Wait()
		if err := s.Stop(testContext(t)); err != nil {
			t.Errorf("Stop once more: %v", err)
		}
	})
}

// TestS13StopAtOnce stops before the workers have joined, at any moment of their start.
func TestS13StopAtOnce(t *testing.T) {
	t.Parallel()
	rdb := open(t, "local://")
	for i := range 6 {
		for _, launch := range []sleigh.Launcher{sleigh.InProcess(2), sleigh.Local(2)} {
			s := start(t, rdb, &sleigh.Options{Launch: launch})
			<-time.After(time.Duration(i*i) * 2 * time.Millisecond) // no matter what has happened by then
			if err := s.Stop(testContext(t)); err != nil {
				t.Error(err)
			}
			wantNoKeys(t, rdb, s.Name())
			wantStopped(t, s)
		}
	}
}

// TestS13StopInOnDone stops from within the call that it ends.
func TestS13StopInOnDone(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.InProcess(2)})
	_, err := square.EachElem(testContext(t), s, upTo(2000), &sleigh.JobOptions{OnDone: func(done int) {
		if err := s.Stop(testContext(t)); err != nil {
			t.Error(err)
		}
	}})
	if !errors.Is(err, sleigh.ErrStopped) {
		t.Errorf("got %v", err)
	}
}

// TestS13AfterClose looks at calls when Redis is gone as well.
func TestS13AfterClose(t *testing.T) {
	t.Parallel()
	rdb, err := redisx.Open(t.Context(), "mem://", nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sleigh.Start(t.Context(), rdb, &sleigh.Options{Launch: sleigh.Local(1)})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Stop(t.Context()), rdb.Close()); err != nil {
		t.Fatal(err)
	}
	wantStopped(t, s)
}

// TestS13DeafProcess stops while a function does not hear that its context has ended: its process is killed.
func TestS13DeafProcess(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(2)})
		ended := make(chan error, 1)
		go func() {
			_, err := deaf.EachElem(testContext(t), s, upTo(100), nil)
			ended <- err
		}()
		pid := fetch[visit](t, s.User(), "begun").PID
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, sleigh.ErrStopped) {
			t.Errorf("got %v", err)
		}
		if alive(t, pid) {
			t.Error("the deaf worker lives on")
		}
		wantNoKeys(t, rdb, s.Name())
	})
}

// TestS13DeafGoroutine is the same where there is no process to kill: Stop must end all the same.
func TestS13DeafGoroutine(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.InProcess(1)})
	go func() { _, _ = deaf.EachElem(testContext(t), s, upTo(1), nil) }()
	fetch[visit](t, s.User(), "begun")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
	wantStopped(t, s)
	hearing <- struct{}{}
}

// TestS13EndedContext stops with a context that leaves no time at all.
func TestS13EndedContext(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		got, err := square.EachElem(testContext(t), s, upTo(10), nil)
		wantSquares(t, got, err, 10)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
		wantStopped(t, s)
	})
}
