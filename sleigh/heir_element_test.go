package sleigh_test

import (
	"errors"
	"iter"
	"math"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// textsBut is 30 texts, those for which huge is true of which are too large to be handed out.
func textsBut(huge func(i int) bool) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range 30 {
			size := 100
			if huge(i) {
				size = *sleigh.MaxText + 10
			}
			if !yield(strings.Repeat("x", size)) {
				return
			}
		}
	}
}

// forget makes a job be as if its master had been killed before it could note anything.
func forget(t *testing.T, rdb *redisx.Client, name string) {
	t.Helper()
	prefix := "nws:{" + name + "}:values:count:"
	keys := keysOf(t, rdb, prefix+"*")
	if len(keys) != 1 {
		t.Fatalf("the jobs are %v", keys)
	}
	id := strings.TrimPrefix(keys[0], prefix)
	rdb.Redis().Del(t.Context(), "nws:{"+name+"}:values:state:"+id)
	rdb.Redis().Del(t.Context(), "nws:{"+name+"}:values:failed:"+id)
}

// TestS13Huge has elements that are too large to be handed out: they fail alone, with each master, and are told of once.
func TestS13Huge(t *testing.T) {
	t.Parallel()
	_, _, master := heirs(t, "mem://", 2)
	o := &sleigh.JobOptions{Name: "huge", Chunk: 4}
	for leg := range 3 {
		s := master()
		got, err := length.EachElem(testContext(t), s, textsBut(func(i int) bool { return i%10 == 3 }), o)
		if failed, ok := errors.AsType[sleigh.TaskErrors](err); !ok || len(failed) != 3 || len(got) != 30 {
			t.Errorf("leg %d: %d results, %v", leg, len(got), err)
		}
		stopNow(t, s)
	}
}

// TestS13HugeForgotten has a master be gone before it could say that an element is too large. The next one says it.
func TestS13HugeForgotten(t *testing.T) {
	t.Parallel()
	rdb, name, master := heirs(t, "mem://", 2)
	elems := textsBut(func(i int) bool { return i == 3 })
	o := &sleigh.JobOptions{Name: "huge", Chunk: 1}
	s := master()
	if _, err := length.EachElem(testContext(t), s, elems, o); err == nil {
		t.Error("all elements were handed out")
	}
	stopNow(t, s)
	forget(t, rdb, name)
	got, err := length.EachElem(testContext(t), master(), elems, o)
	if failed, ok := errors.AsType[sleigh.TaskErrors](err); !ok || len(failed) != 1 || failed[0].Index != 3 || len(got) != 30 {
		t.Errorf("%d results, %v", len(got), err)
	}
}

// TestS13NaNForgotten has an element that does not convert: it fails with the next master as it did with the first, which could
// not tell of it.
func TestS13NaNForgotten(t *testing.T) {
	t.Parallel()
	rdb, name, master := heirs(t, "mem://", 2)
	elems := func(yield func(float64) bool) {
		for i := range 30 {
			x := float64(i)
			if i == 3 {
				x = math.NaN()
			}
			if !yield(x) {
				return
			}
		}
	}
	o := &sleigh.JobOptions{Name: "nan", Chunk: 1}
	s := master()
	if _, err := half.EachElem(testContext(t), s, elems, o); err == nil {
		t.Error("all elements were handed out")
	}
	stopNow(t, s)
	forget(t, rdb, name)
	got, err := half.EachElem(testContext(t), master(), elems, o)
	if failed, ok := errors.AsType[sleigh.TaskErrors](err); !ok || len(failed) != 1 || failed[0].Index != 3 || len(got) != 30 {
		t.Errorf("%d results, %v", len(got), err)
	}
}
