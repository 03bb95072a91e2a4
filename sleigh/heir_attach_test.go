package sleigh_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// TestS13AttachInterrupted has contexts end at all moments of Attach, which leaves the job without a master then.
func TestS13AttachInterrupted(t *testing.T) {
	t.Parallel()
	rdb, name, master := heirs(t, "local://", 0)
	s := master()
	job, err := square.Submit(testContext(t), s, upTo(2000), &sleigh.JobOptions{Name: "i", Chunk: 1})
	if err == nil {
		err = job.Detach(testContext(t))
	}
	if err != nil {
		t.Fatal(err)
	}
	held, tries := 0, 0
	for d := 200 * time.Microsecond; d < 40*time.Millisecond; d += 200 * time.Microsecond {
		ctx := within(t, d)
		if again, err := square.Attach(ctx, s, "i", nil); err == nil && tries > 0 {
			break // from now on there is time enough
		} else if err == nil { // a timer that was late; it may end the job, too
			if err := again.Detach(testContext(t)); err != nil && ctx.Err() == nil {
				t.Fatal(err)
			}
			_, _ = again.Wait(testContext(t)) // until it is left
			continue
		}
		tries++
		text, err := rdb.Redis().LIndex(t.Context(), "nws:{"+name+"}:values:master:"+job.ID(), 0).Result()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(text, `{"client":""`) {
			held++
		}
	}
	if held > 0 || tries == 0 {
		t.Errorf("%d of %d times the job is held by a program whose Attach has failed", held, tries)
	}
}

// TestS13AttachMany attaches to many tasks of one element each, in less time than it took to hand them out.
func TestS13AttachMany(t *testing.T) {
	if brief() {
		return
	}
	t.Parallel()
	_, _, master := heirs(t, "local://", 0)
	s := master()
	const n = 40_000
	began := time.Now()
	job, err := square.Submit(testContext(t), s, upTo(n), &sleigh.JobOptions{Name: "many", Chunk: 1})
	if err == nil {
		err = job.Detach(testContext(t))
	}
	if err != nil {
		t.Fatal(err)
	}
	handedOut := time.Since(began)
	began = time.Now()
	if _, err = square.Attach(testContext(t), s, "many", nil); err != nil {
		t.Fatal(err)
	}
	if attached := time.Since(began); attached > handedOut {
		t.Errorf("to attach took %v, to hand out %v", attached, handedOut)
	}
}

// TestS13StopHandsOver stops a master in the middle of All's loop. The next one gets the job at once, and no result twice.
func TestS13StopHandsOver(t *testing.T) {
	if brief() {
		return
	}
	t.Parallel()
	_, _, master := heirs(t, "local://", 2)
	const n = 300
	for round := range 5 {
		o := &sleigh.JobOptions{Name: fmt.Sprint("round ", round), Chunk: 3}
		s := master()
		job, err := doze.Submit(testContext(t), s, upTo(n), o)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int]int{}
		stopped := make(chan error, 1)
		for r, err := range job.All(testContext(t)) {
			if err != nil {
				break
			}
			if seen[r.Index]++; len(seen) == 100 {
				go func() { stopped <- s.Stop(context.Background()) }()
			}
		}
		if err := <-stopped; err != nil {
			t.Errorf("Stop: %v", err)
		}
		began := time.Now()
		job, err = doze.Submit(testContext(t), master(), upTo(n), o)
		if err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited > 3*time.Second { // a master counts as dead after 6 s
			t.Errorf("round %d: the next master had to wait for %v", round, waited)
		}
		for r, err := range job.All(testContext(t)) {
			if err != nil {
				t.Fatal(err)
			}
			seen[r.Index]++
		}
		if len(seen) != n || twiceOf(seen) > 0 {
			t.Errorf("round %d: %d of %d, %d given twice", round, len(seen), n, twiceOf(seen))
		}
	}
}
