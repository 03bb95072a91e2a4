package sleigh_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// TestS13FinishedBound keeps the results of jobs where very many have finished: the list has no more than 1,000, the first are
// forgotten, and a job whose results are asked for again is there once.
func TestS13FinishedBound(t *testing.T) {
	t.Parallel()
	const most = 1000
	rdb, name, master := heirs(t, "mem://", 1)
	s := master()
	run := func(name string) {
		t.Helper()
		got, err := square.EachElem(testContext(t), s, upTo(3), &sleigh.JobOptions{Name: name})
		wantSquares(t, got, err, 3)
	}
	run("first")
	list := "nws:{" + name + "}:values:finished"
	var others []any
	for i := range most - 1 {
		others = append(others, fmt.Sprintf(`{"id":"id%d","name":"n%d","until":%q}`, i, i, time.Now().Add(time.Hour).Format(time.RFC3339)))
	}
	if err := rdb.Redis().RPush(t.Context(), list, others...).Err(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		run("last")
		all, err := s.Finished(testContext(t))
		if err != nil || len(all) != most {
			t.Fatalf("%d have finished, %v", len(all), err)
		}
		if n := rdb.Redis().LLen(t.Context(), list).Val(); n != most {
			t.Errorf("the list has %d", n)
		}
		if all[0].Name != "n0" || all[most-2].Name != fmt.Sprint("n", most-2) || all[most-1].Name != "last" {
			t.Errorf("the first is %q, the last ones are %q and %q", all[0].Name, all[most-2].Name, all[most-1].Name)
		}
	}
}

// TestS13FinishedFigures cancels jobs without a master, and by order of another one: what is known of them are elements, though
// some were tried several times.
func TestS13FinishedFigures(t *testing.T) {
	t.Parallel()
	const n, fails = 5, 3
	_, name, master := heirs(t, "mem://", 1)
	other := master()
	for what, o := range map[string]*sleigh.JobOptions{
		"orphan": {CancelAfter: time.Millisecond}, "order": {},
	} {
		s := master()
		o.Name, o.Chunk, o.Attempts, o.Backoff = what, 1, fails+1, time.Millisecond
		elems := func(yield func(flakyElement) bool) {
			for e := range flakyElements(name+" "+what, n, fails) {
				if !yield(e) {
					return
				}
			}
			yield(flakyElement{name + " " + what + " for good", 1 << 30})
		}
		job, err := flaky.Submit(testContext(t), s, elems, o)
		if err != nil {
			t.Fatal(err)
		}
		awaitDone(t, job.Check, n+1)
		stopNow(t, s)
		if what == "order" {
			if err := other.CancelJob(testContext(t), what); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "it is cancelled", func() bool {
			all, err := other.Finished(testContext(t))
			if err != nil || len(all) == 0 || all[len(all)-1].Name != what {
				return false
			}
			if f := all[len(all)-1]; f.Outcome != sleigh.Cancelled || f.Done != n+1 || f.Failed != 1 {
				t.Errorf("%s: it is known as %+v", what, f)
			}
			return true
		})
	}
}

// TestS13OrphansDamaged cancels the jobs of a master that has left, but for one whose description somebody has spoilt.
func TestS13OrphansDamaged(t *testing.T) {
	t.Parallel()
	const n = 8
	rdb, name, master := heirs(t, "mem://", 0)
	other, s := master(), master()
	for i := range n {
		if _, err := square.Submit(testContext(t), s, upTo(3), &sleigh.JobOptions{Name: fmt.Sprint(i), CancelAfter: time.Millisecond}); err != nil {
			t.Fatal(err)
		}
	}
	id := rdb.Redis().LIndex(t.Context(), "nws:{"+name+"}:values:named:3", 0).Val()
	if err := rdb.Redis().LSet(t.Context(), "nws:{"+name+"}:values:job:"+strings.Trim(id, `"`), 0, "spoilt").Err(); err != nil {
		t.Fatal(err)
	}
	stopNow(t, s)
	eventually(t, "all others are cancelled", func() bool {
		all, err := other.Finished(testContext(t))
		return err == nil && len(all) == n-1
	})
}
