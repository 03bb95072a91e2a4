package sleigh_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// wantFailure checks one of the failures of a job.
func wantFailure(t *testing.T, e *sleigh.TaskError, index int, text string) {
	t.Helper()
	if e.Index != index || !strings.Contains(e.Message, text) || !strings.Contains(e.Error(), text) {
		t.Errorf("want failure %d with %q, got %+v", index, text, e)
	}
}

// TestS10Failures has functions fail in all ways there are, but by the death of their worker.
func TestS10Failures(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		ways := []string{"no", "error", "panic", "no", "panic with nil", "goexit", "nan", "typed nil", "no"}
		got, err := misbehave.EachElem(testContext(t), s, slices.Values(ways), nil)
		if !slices.Equal(got, []float64{7, 0, 0, 7, 0, 0, 0, 0, 7}) {
			t.Errorf("results: %v", got)
		}
		var failed sleigh.TaskErrors
		if !errors.As(err, &failed) || len(failed) != 6 {
			t.Fatalf("got %v", err)
		}
		wantFailure(t, failed[0], 1, "did not work out")
		wantFailure(t, failed[1], 2, "index out of range")
		wantFailure(t, failed[2], 4, "panic called with nil argument")
		wantFailure(t, failed[3], 5, "Goexit")
		wantFailure(t, failed[4], 6, "NaN")
		wantFailure(t, failed[5], 7, "nil pointer")
		if !strings.Contains(failed[1].Stack, "sleigh_test.deep") {
			t.Errorf("the stack of the panic does not name the function that panicked:\n%s", failed[1].Stack)
		}
		for _, e := range failed {
			if e.Func != "misbehave" || e.Worker < 0 || e.Worker > 1 || e.Host == "" || e.Attempt != 1 {
				t.Errorf("got %+v", e)
			}
		}
		var first *sleigh.TaskError
		if !errors.As(err, &first) || first != failed[0] {
			t.Errorf("the first one is %v", first)
		}
		if !strings.HasPrefix(err.Error(), "6 elements failed; the first: misbehave failed for element 1 on worker") {
			t.Errorf("it reads: %v", err)
		}
	})
}

// TestS10OnlyFailures has no result but failures, the last element's too.
func TestS10OnlyFailures(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.InProcess(2)})
	got, err := misbehave.EachElem(testContext(t), s, slices.Values([]string{"error"}), nil)
	if e, ok := errors.AsType[*sleigh.TaskError](err); !ok || e.Index != 0 || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	if strings.Contains(err.Error(), "elements failed") {
		t.Errorf("one failure reads: %v", err)
	}
}

// TestS10ArgumentDoesNotConvert hands a function elements of another type than it takes, as a worker of another build may.
func TestS10ArgumentDoesNotConvert(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		got, err := picky.EachElem(testContext(t), s, slices.Values([]pickyText{"good", "bad", "good"}), nil)
		var failed sleigh.TaskErrors
		if !errors.As(err, &failed) || len(failed) != 1 || !slices.Equal(got, []string{"good", "", "good"}) {
			t.Fatalf("got %v, %v", got, err)
		}
		wantFailure(t, failed[0], 1, "argument does not convert")
	})
}

// TestS10OthersRun runs the function for those elements only that can be sent, also when others of their chunk cannot.
func TestS10OthersRun(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.InProcess(1)})
	_, err := noted.EachElem(testContext(t), s, slices.Values([]float64{1, math.NaN(), 3}), &sleigh.JobOptions{Chunk: 3})
	var failed sleigh.TaskErrors
	if !errors.As(err, &failed) || len(failed) != 1 {
		t.Errorf("got %v", err)
	}
	var ran []int
	for i, err := range workspace.NewVar[int](s.User(), "ran").IFetch().Try(testContext(t)) {
		if err != nil {
			t.Fatal(err)
		}
		ran = append(ran, i)
	}
	slices.Sort(ran)
	if !slices.Equal(ran, []int{0, 2}) {
		t.Errorf("it ran for the elements %v", ran)
	}
}

var noted = sleigh.Register("noted", func(ctx context.Context, x float64) (float64, error) {
	return x, sleigh.WorkerFrom(ctx).User().Store(ctx, "ran", sleigh.Index(ctx))
})

// TestS10ChunkTooLarge has elements that are too large together, but not each by itself, and one that is.
func TestS10ChunkTooLarge(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.InProcess(1)})
	whole := strings.Repeat("x", *sleigh.MaxText)
	most, some := whole[1000:], whole[:1000]
	got, err := length.EachElem(testContext(t), s, slices.Values([]string{some, whole, most}), &sleigh.JobOptions{Chunk: 3})
	var failed sleigh.TaskErrors
	if !errors.As(err, &failed) || len(failed) != 1 {
		t.Fatalf("got %v", err)
	}
	wantFailure(t, failed[0], 1, "are allowed")
	if want := []int{len(some), 0, len(most)}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestS10ElementDoesNotConvert has elements that cannot be sent.
func TestS10ElementDoesNotConvert(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.InProcess(2)})
	for _, elems := range [][]float64{
		{1, math.NaN(), 3}, {math.Inf(1), 2}, {1, math.Inf(-1)}, {math.NaN()}, {math.NaN(), math.NaN()},
	} {
		got, err := half.EachElem(testContext(t), s, slices.Values(elems), nil)
		var failed sleigh.TaskErrors
		if !errors.As(err, &failed) || len(got) != len(elems) {
			t.Fatalf("%v: got %v, %v", elems, got, err)
		}
		for i, x := range elems {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				wantFailure(t, failed[0], i, "unsupported value")
				failed = failed[1:]
			} else if got[i] != x/2 {
				t.Errorf("half of %v is %v", x, got[i])
			}
		}
		if len(failed) > 0 {
			t.Errorf("failures too many: %v", failed)
		}
	}
}

// TestS10NotRegistered calls a function that the workers' program does not have, since it is registered only here.
func TestS10NotRegistered(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.Local(1)})
	got, err := onlyHere().EachElem(testContext(t), s, upTo(2), nil)
	var failed sleigh.TaskErrors
	if !errors.As(err, &failed) || len(failed) != 2 || len(got) != 2 {
		t.Fatalf("got %v, %v", got, err)
	}
	wantFailure(t, failed[1], 1, "registered")
}

func TestS10RegisterTwice(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "square"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Register(%q) did not panic", name)
				}
			}()
			sleigh.Register(name, squareOf)
		}()
	}
	if square.Name() != "square" {
		t.Errorf("the name is %q", square.Name())
	}
}

// TestS10ResultTooLarge has a result that no variable takes. It fails at once, and alone.
func TestS10ResultTooLarge(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.InProcess(1)})
	got, err := zeros.EachElem(testContext(t), s, slices.Values([]int{1, *sleigh.MaxText, 2}), nil)
	var failed sleigh.TaskErrors
	if !errors.As(err, &failed) || len(failed) != 1 || len(got) != 3 || len(got[0]) != 1 || len(got[2]) != 2 {
		t.Fatalf("%d results, %v", len(got), err)
	}
	wantFailure(t, failed[0], 1, "are allowed")
}
