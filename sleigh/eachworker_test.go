package sleigh_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// TestS3OnceOnEachWorker runs a function that only returns when it runs on all workers at the same time: were one worker to
// get it twice, another one would be missing. The original failed so in 2 of 1,500 runs.
func TestS3OnceOnEachWorker(t *testing.T) {
	t.Parallel()
	onTeams(t, 3, func(t *testing.T, s *sleigh.Sleigh) {
		ctx := testContext(t)
		runs := 60
		if strings.Contains(t.Name(), "embedded") {
			runs = 20 // it is slow under the race detector
		}
		for run := range runs {
			ranks, err := meet.EachWorker(ctx, s, fmt.Sprint("place ", run))
			if err != nil || !slices.Equal(ranks, []int{0, 1, 2}) {
				t.Fatalf("run %d: %v, %v", run, ranks, err)
			}
		}
	})
}

// TestS3BesideEachElem has all workers busy with elements while each runs another function.
func TestS3BesideEachElem(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		ctx := testContext(t)
		elems := make(chan error, 1)
		go func() {
			got, err := wait.EachElem(ctx, s, upTo(10), nil)
			if err == nil && len(got) != 10 {
				err = fmt.Errorf("results: %v", got)
			}
			elems <- err
		}()
		fetch[visit](t, s.User(), "begun")
		fetch[visit](t, s.User(), "begun")
		ranks, err := meet.EachWorker(ctx, s, "here")
		if err != nil || !slices.Equal(ranks, []int{0, 1}) {
			t.Errorf("got %v, %v", ranks, err)
		}
		openGate(t, s.User())
		if err := <-elems; err != nil {
			t.Error(err)
		}
	})
}

// TestS3SeveralAtOnce runs several functions, each of which waits for all workers: no order of them may hold them up.
func TestS3SeveralAtOnce(t *testing.T) {
	t.Parallel()
	onTeams(t, 3, func(t *testing.T, s *sleigh.Sleigh) {
		ctx := testContext(t)
		for round := range 5 {
			var calls sync.WaitGroup
			for place := range 4 {
				calls.Go(func() {
					ranks, err := meet.EachWorker(ctx, s, fmt.Sprintf("place %d of %d", place, round))
					if err != nil || !slices.Equal(ranks, []int{0, 1, 2}) {
						t.Errorf("got %v, %v", ranks, err)
					}
				})
			}
			calls.Wait()
		}
	})
}

// TestS3Failures has some workers fail: their ranks are told, and the others' results are there.
func TestS3Failures(t *testing.T) {
	t.Parallel()
	onTeams(t, 3, func(t *testing.T, s *sleigh.Sleigh) {
		got, err := odd.EachWorker(testContext(t), s, 5)
		var failed sleigh.TaskErrors
		if !errors.As(err, &failed) || len(failed) != 1 || failed[0].Index != 1 || failed[0].Worker != 1 {
			t.Errorf("got %v", err)
		}
		if !slices.Equal(got, []int{5, 0, 5}) {
			t.Errorf("got %v", got)
		}
	})
}

var odd = sleigh.Register("odd", func(ctx context.Context, x int) (int, error) {
	if sleigh.WorkerFrom(ctx).Rank()%2 == 1 {
		return 1, errors.New("not on this one")
	}
	return x, nil
})

// TestS1Worker looks at what a worker knows of itself.
func TestS1Worker(t *testing.T) {
	t.Parallel()
	onTeams(t, 3, func(t *testing.T, s *sleigh.Sleigh) {
		ctx := testContext(t)
		if s.Workers() != 3 || s.User().Name() != s.Name()+"/user" {
			t.Errorf("the sleigh has %d workers and user workspace %q", s.Workers(), s.User().Name())
		}
		ids, err := identify.EachWorker(ctx, s, 0)
		if err != nil || len(ids) != 3 {
			t.Fatalf("got %v, %v", ids, err)
		}
		for rank, id := range ids {
			want := identity{
				Rank: rank, Count: 3, PID: id.PID, Host: id.Host, Name: fmt.Sprintf("%s@%d", s.Name(), rank), User: s.User().Name(),
			}
			if id != want || id.PID == 0 || id.Host == "" {
				t.Errorf("worker %d is %+v", rank, id)
			}
		}
		tasks, err := identify.EachElem(ctx, s, upTo(50), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range tasks {
			if id.Rank < 0 || id.Rank > 2 || id != ids[id.Rank] {
				t.Errorf("an element was run by %+v", id)
			}
		}
	})
}

func TestS1NoWorkerElsewhere(t *testing.T) {
	t.Parallel()
	if w := sleigh.WorkerFrom(t.Context()); w != nil {
		t.Errorf("got %v", w)
	}
}

// TestS1Readable looks at the tasks and results of a running job as redis-cli does.
func TestS1Readable(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(1)})
		ctx := testContext(t)
		ended := make(chan error, 1)
		go func() {
			_, err := wait.EachElem(ctx, s, upTo(5), &sleigh.JobOptions{})
			ended <- err
		}()
		fetch[visit](t, s.User(), "begun")
		key := "nws:{" + s.Name() + "}:values:task"
		eventually(t, "tasks wait in "+key, func() bool { return rdb.Redis().LLen(ctx, key).Val() > 0 })
		for _, text := range rdb.Redis().LRange(ctx, key, 0, -1).Val() {
			if !strings.HasPrefix(text, `{"job":"`) || !strings.Contains(text, `"first":`) || !strings.Contains(text, `"func":"wait"`) {
				t.Errorf("a task is %s", text)
			}
		}
		info := rdb.Redis().LRange(ctx, "nws:{"+s.Name()+"}:values:worker@0", 0, -1).Val()
		if len(info) != 1 || !strings.Contains(info[0], `"rank":0,"host":"`) {
			t.Errorf("the worker is told of as %v", info)
		}
		openGate(t, s.User())
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestS1ReadableResults holds results back where the master is busy with those before.
func TestS1ReadableResults(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(1)})
		ctx := testContext(t)
		var seen []string
		_, err := square.EachElem(ctx, s, upTo(200), &sleigh.JobOptions{OnDone: func(done int) {
			if done == 200 || seen != nil {
				return
			}
			eventually(t, "results wait", func() bool {
				for _, key := range keysOf(t, rdb, "nws:{"+s.Name()+"}:values:result:*") {
					seen = append(seen, rdb.Redis().LRange(ctx, key, 0, -1).Val()...)
				}
				return len(seen) > 0
			})
		}})
		if err != nil || len(seen) == 0 {
			t.Errorf("saw %v, %v", seen, err)
		}
		for _, text := range seen {
			if !strings.HasPrefix(text, `{"job":"`) || !strings.Contains(text, `,"values":[`) {
				t.Errorf("a result is %s", text)
			}
		}
	})
}

// TestS3GivenUp gives up a call for a worker that has not joined. It must not run the function when it does.
func TestS3GivenUp(t *testing.T) {
	t.Parallel()
	server := open(t, "local://")
	rdb := open(t, server.URL())
	s := start(t, rdb, &sleigh.Options{Launch: sleigh.Manual(1)})
	ctx, cancel := context.WithCancel(testContext(t))
	ended := make(chan error, 1)
	go func() {
		_, err := wait.EachWorker(ctx, s, 7)
		ended <- err
	}()
	eventually(t, "it is handed out", func() bool {
		return rdb.Redis().LLen(t.Context(), "nws:{"+s.Name()+"}:values:task@0").Val() == 1
	})
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	volunteer(t, rdb, s.Name())
	if ranks, err := rankOf.EachWorker(testContext(t), s, 0); err != nil || len(ranks) != 1 {
		t.Errorf("%v, %v", ranks, err)
	}
	if begun, err := s.User().TryFetch(t.Context(), "begun", new(visit)); begun || err != nil {
		t.Errorf("the function was run for nobody, %v", err)
	}
}
