package sleigh_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// advance tells of its progress step by step, each of which the test lets it take.
var advance = sleigh.Register("advance", func(ctx context.Context, steps int) (int, error) {
	w := sleigh.WorkerFrom(ctx)
	for i := range steps {
		sleigh.Progress(ctx, i+1, steps)
		if err := w.User().Store(ctx, "told", i+1); err != nil {
			return 0, err
		}
		if err := w.User().Fetch(ctx, fmt.Sprint("step ", sleigh.Index(ctx)), new(bool)); err != nil {
			return 0, err
		}
	}
	return w.Rank(), nil
})

// wantProgress waits until the progress of a sleigh is as wanted, "index done/total" for each element.
func wantProgress(t *testing.T, s *sleigh.Sleigh, want ...string) []sleigh.ProgressInfo {
	t.Helper()
	var all []sleigh.ProgressInfo
	var got []string
	eventually(t, fmt.Sprintf("progress is %q", want), func() bool {
		var err error
		if all, err = sleigh.ProgressOf(testContext(t), s); err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(all, func(a, b sleigh.ProgressInfo) int { return cmp.Compare(a.Index, b.Index) })
		got = nil
		for _, p := range all {
			got = append(got, fmt.Sprintf("%d %d/%d", p.Index, p.Done, p.Total))
		}
		return slices.Equal(got, want)
	})
	return all
}

// TestS15Progress follows elements that tell how far they are: two in each worker.
func TestS15Progress(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		for name, launch := range map[string]sleigh.Launcher{"goroutines": sleigh.InProcess(2), "processes": sleigh.Local(2)} {
			t.Run(name, func(t *testing.T) {
				s := start(t, rdb, &sleigh.Options{Launch: launch, Slots: 2})
				wantProgress(t, s)
				ended := make(chan []int, 1)
				go func() {
					ranks, err := advance.EachElem(testContext(t), s, slices.Values([]int{3, 3, 3, 3}), &sleigh.JobOptions{Chunk: 1})
					if err != nil {
						t.Error(err)
					}
					ended <- ranks
				}()
				step := func(index, steps int) {
					for range steps {
						if err := s.User().Store(testContext(t), fmt.Sprint("step ", index), true); err != nil {
							t.Fatal(err)
						}
					}
				}
				all := wantProgress(t, s, "0 1/3", "1 1/3", "2 1/3", "3 1/3")
				eventually(t, "the status has it", func() bool {
					told := 0
					for _, w := range statusOf(t, s).Workers {
						for _, r := range w.Tasks {
							if p := r.Progress; p.Worker == w.Rank && p.Index == r.Index && p.Job == r.Job && p.Done == 1 && p.Total == 3 {
								told++
							}
						}
					}
					return told == 4
				})
				step(0, 1)
				step(1, 2)
				step(2, 3)
				wantProgress(t, s, "0 2/3", "1 3/3", "3 1/3")
				step(0, 2)
				step(1, 1)
				step(3, 3)
				ranks := <-ended
				for _, p := range all {
					if p.Worker != ranks[p.Index] || p.Job == "" || p.Job != all[0].Job || time.Since(p.At) > patience || p.At.IsZero() {
						t.Errorf("got %+v of the worker %d", p, ranks[p.Index])
					}
				}
				wantProgress(t, s)
			})
		}
	})
}

// hurry tells of each of very many steps.
var hurry = sleigh.Register("hurry", func(ctx context.Context, steps int) (time.Duration, error) {
	began := time.Now()
	for i := range steps {
		sleigh.Progress(ctx, i, steps)
	}
	return time.Since(began), nil
})

// TestS15ProgressIsSeldom counts how often Redis is told.
func TestS15ProgressIsSeldom(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(1)})
		took, err := hurry.EachElem(testContext(t), s, slices.Values([]int{1_000_000}), nil)
		if err != nil {
			t.Fatal(err)
		}
		wantProgress(t, s)
		entry, err := rdb.Redis().HGet(t.Context(), "nws:{"+s.Name()+"}:vars", "progress@0").Result()
		if err != nil {
			t.Fatal(err)
		}
		stores := 0 // the last field counts them, from 1
		if fields := strings.Fields(entry); len(fields) == 3 && fields[0] == "single" {
			stores, _ = strconv.Atoi(fields[2])
		}
		// One at first, one when the element has ended, and those in between.
		if most := 3 + 1 + int(took[0]/sleigh.TellEvery); stores < 2 || stores > most {
			t.Errorf("%q: stored %d times in %v", entry, stores, took[0])
		}
	})
}

// TestS15ProgressOfTheDead kills a worker: what it told is not taken for that of the next one of its rank.
func TestS15ProgressOfTheDead(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(1)})
		ended := make(chan error, 1)
		go func() {
			_, err := advance.EachElem(testContext(t), s, slices.Values([]int{2}), nil)
			ended <- err
		}()
		fetch[int](t, s.User(), "told")
		wantProgress(t, s, "0 1/2")
		openStep := func() {
			if err := s.User().Store(testContext(t), "step 0", true); err != nil {
				t.Fatal(err)
			}
		}
		openStep()
		wantProgress(t, s, "0 2/2")
		kill(t, pidOf(t, rdb, s, 0), syscall.SIGKILL)
		wantProgress(t, s, "0 1/2") // the next one has begun anew
		openStep()
		openStep()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		wantProgress(t, s)
	})
}

// TestS15ProgressNowhere calls it where there is no element, which does nothing.
func TestS15ProgressNowhere(t *testing.T) {
	t.Parallel()
	sleigh.Progress(t.Context(), 1, 2)
	if sleigh.Log(t.Context()) == nil {
		t.Error("no logger")
	}
}
