package sleigh

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

const (
	resultBatch = 1000     // results read at a time
	resultBytes = 16 << 20 // and their size, as far as that can be told from the last ones
	endFor      = 2 * time.Second
)

// errFinished ends the context of a job that has all its results.
var errFinished = errors.New("finished")

// sink takes results.
type sink interface {
	// take gets the results of elements first to first+n-1 as a JSON array. Those for which skip is true do not count, or have failed.
	take(first, n int, values json.RawMessage, skip func(i int) bool) error
	// fail gets an element that has failed for good.
	fail(e *TaskError)
}

// job is one call of EachElem or EachWorker, or one job, at the master. One goroutine pulls the elements, one hands them out as tasks,
// and one takes the results.
type job struct {
	s      *Sleigh
	id     string
	fn     string
	o      JobOptions
	ranks  int    // of EachWorker: each has one element in its own variable; else 0
	source source // of the elements
	sink   sink

	changed chan struct{} // has a value when the feed may have something to do
	resized atomic.Bool   // the team has: Redis is to be told the new window
	speed   meter

	mu        sync.Mutex
	pace      pace
	chunks    map[int]*chunk // of which elements are not done, by their first
	outBytes  int            // of their texts
	again     []*task        // to be handed out once more
	waiting   int            // attempts that wait for their time
	next      int            // index of the next element
	known     int            // elements that Redis was given
	done      int            // elements
	failed    TaskErrors
	ended     bool      // there are no more elements
	lastMoved time.Time // when a result came, or a task was handed out
}

// chunk is elements that were handed out together.
type chunk struct {
	text  []byte // of their task
	first int
	n     int
	left  int    // elements that are not done
	done  []bool // which are; nil if none
}

func newJob(s *Sleigh, fn string, o JobOptions, from source, to sink) *job {
	return &job{
		s: s, id: strings.ToLower(rand.Text()[:8]), fn: fn, o: o, source: from, sink: to, changed: make(chan struct{}, 1),
		chunks: map[int]*chunk{}, pace: pace{chunk: o.Chunk, load: o.LoadFactor},
	}
}

// run hands out the elements and takes the results, until all are done or ctx ends.
func (j *job) run(ctx context.Context) error {
	if err := j.s.over(); err != nil {
		return err
	}
	if err := j.s.enter(j); err != nil {
		return err
	}
	defer j.s.leave(j)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	unwatch := context.AfterFunc(j.s.ctx, func() { cancel(context.Cause(j.s.ctx)) })
	defer unwatch()

	err := j.submit(ctx, nil, 0)
	if err == nil {
		var feeding sync.WaitGroup
		feeding.Go(func() {
			if err := j.feed(ctx); err != nil {
				cancel(err)
			}
		})
		err = j.collect(ctx)
		cancel(err)
		feeding.Wait()
		if p := j.source.panicked(); p != nil {
			defer panic(p)
		}
		j.end(ctx)
	}
	if over := j.s.over(); over != nil && err != nil {
		return over
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // why, rather than that it ended
	}
	if err != nil && !errors.Is(err, errFinished) {
		if _, failed := errors.AsType[TaskErrors](err); failed {
			return err
		}
		return fmt.Errorf("sleigh: %s: %w", j.fn, err)
	}
	slices.SortFunc(j.failed, func(a, b *TaskError) int { return cmp.Compare(a.Index, b.Index) })
	return nil
}

// end deletes what Redis knows of the job: results that come late go nowhere, and workers drop what is left of it.
func (j *job) end(ctx context.Context) {
	quick, cancel := context.WithTimeout(context.WithoutCancel(ctx), endFor)
	defer cancel()
	_, _, _ = j.s.own.Do(quick, endScript,
		[]string{countVarOf(j.id), backlogVarOf(j.id), resultVarOf(j.id), jobVarOf(j.id)}, j.id)
}

// nudge has the feed look whether there is something to do.
func (j *job) nudge() {
	select {
	case j.changed <- struct{}{}:
	default:
	}
}

// collect takes results until all are there.
func (j *job) collect(ctx context.Context) error {
	n, reported := 100, 0
	for {
		claim, err := j.s.own.Claim(ctx, resultVarOf(j.id), &workspace.ClaimOptions{Max: n, Lease: j.s.lease})
		if err != nil {
			if errors.Is(err, workspace.ErrVarDeleted) {
				err = ErrEnded
			}
			return err
		}
		outcomes := make([]workspace.Outcome, len(claim.Values))
		size := 1
		for i, value := range claim.Values {
			outcomes[i].Index = value.Index
			size += len(value.Text)
			if err := j.take(value.Text); err != nil {
				return err
			}
		}
		n = max(1, min(resultBatch, resultBytes*len(claim.Values)/size))
		j.nudge()
		done, err := j.progress()
		if j.o.OnDone != nil && done > reported {
			j.o.OnDone(done)
		}
		if reported = done; err != nil {
			return err
		}
		if err := claim.Settle(ctx, outcomes...); err != nil && !errors.Is(err, workspace.ErrClaimLost) {
			return err
		}
	}
}

// progress says how many elements are done, and why the job is over, if it is.
func (j *job) progress() (done int, over error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.o.StopAtError && len(j.failed) > 0:
		return j.done, j.failed
	case j.ended && len(j.chunks) == 0:
		return j.done, errFinished
	}
	return j.done, nil
}

// take notes a result.
func (j *job) take(text []byte) error {
	var r result
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("a result is not readable: %w", err)
	}
	j.mu.Lock()
	c := j.chunks[r.Chunk]
	if c == nil || r.N < 1 || r.First < c.first || r.First+r.N > c.first+c.n {
		j.mu.Unlock() // it came before, from elsewhere
		return nil
	}
	j.lastMoved = time.Now()
	j.speed.note(j.lastMoved, r.N)
	j.s.hosts.note(j.s.log, j.fn, r.Host, r.N, len(r.Failed))
	j.pace.note(r.N, r.Took, max(len(text), len(c.text)*r.N/c.n))
	failures := map[int]*TaskError{}
	for _, e := range r.Failed {
		failures[e.Index] = e
	}
	var final []*TaskError
	skipped := map[int]bool{}
	for i := r.First; i < r.First+r.N && (c.done != nil || len(failures) > 0 || r.N < c.n); i++ {
		failure := failures[i]
		switch {
		case c.isDone(i):
			skipped[i] = true
		case failure != nil && failure.Attempt < j.o.Attempts && len(failure.Deaths) < maxDeaths:
			skipped[i] = true
			j.retry(c, failure)
		case failure != nil:
			skipped[i] = true
			c.finish(i)
			j.done++
			j.failed = append(j.failed, failure)
			final = append(final, failure)
		default:
			c.finish(i)
			j.done++
		}
	}
	if c.done == nil && len(failures) == 0 && r.N == c.n {
		c.left = 0
		j.done += c.n
	}
	if c.left == 0 {
		delete(j.chunks, c.first)
		j.outBytes -= len(c.text)
	}
	j.mu.Unlock()

	for _, e := range final {
		j.sink.fail(e)
	}
	return j.sink.take(r.First, r.N, r.Values, func(i int) bool { return skipped[i] })
}

func (c *chunk) isDone(i int) bool { return c.done != nil && c.done[i-c.first] }

func (c *chunk) finish(i int) {
	if c.done == nil {
		c.done = make([]bool, c.n)
	}
	c.done[i-c.first] = true
	c.left--
}

// retry has an element handed out again, after a pause. j.mu is held.
func (j *job) retry(c *chunk, failure *TaskError) {
	t := c.one(failure.Index)
	t.Attempt = failure.Attempt
	j.waiting++
	time.AfterFunc(j.o.backoff(failure.Attempt), func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.waiting--
		j.again = append(j.again, t)
		j.nudge()
	})
}

// one is a task of one element of the chunk.
func (c *chunk) one(i int) *task {
	var t task
	texts := []json.RawMessage{}
	if err := json.Unmarshal(c.text, &t); err == nil {
		texts, _ = split(t.Elems)
	}
	t.First, t.N = i, 1
	if k := i - c.first; k < len(texts) {
		t.Elems = joinTexts(texts[k : k+1])
	}
	return &t
}

// total is the number of elements, once the job has run.
func (j *job) total() int { return j.next }
