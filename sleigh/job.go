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
	// take gets results. Those of elements for which skip is true do not count.
	take(r *result, skip func(i int) bool) error
	// fail gets an element that has failed for good.
	fail(e *TaskError)
	// stop has take wait for nobody any more.
	stop()
	// last is called when all have come.
	last() error
	// report has used called with each element whose result was used, if that is known; while mine is false, none is to be.
	report(used func(i int), mine func() bool)
	// resume is called first, if another master has had some elements: past says which were used.
	resume(past func(i int) bool)
	// wake has those look again who wait for the job to be known as this master's.
	wake()
	// gathers reports whether the results are used when all are there.
	gathers() bool
}

// job is one call of EachElem or EachWorker, or one job, at the master. One goroutine pulls the elements, one hands them out
// as tasks, and one takes the results.
type job struct {
	s      *Sleigh
	id     string
	fn     string
	o      JobOptions
	ranks  []int  // of EachWorker: each has one element in its own variable; else none
	source source // of the elements
	sink   sink
	// sinkErr is why a result was not taken: the job fails by that, also if it was the last one, and there is nothing more
	// to do.
	sinkErr error

	changed chan struct{} // has a value when the feed may have something to do
	results *exchange     // unless it outlives its master
	ears    chan ear      // gets one, when Redis knows the job
	hasEar  bool          // it was made
	resized atomic.Bool   // the team has: Redis is to be told the new window
	speed   meter

	mu        sync.Mutex
	pace      pace
	chunks    map[int]*chunk // of which elements are not done, by their first
	outBytes  int            // of their texts
	again     []*task        // to be handed out once more
	paused    map[int]bool   // elements that failed and wait for that
	attempts  map[int]int    // how many times elements have failed that are tried again
	next      int            // index of the next element
	others    int            // elements before it that are not of this job, but of the one that it repeats
	known     int            // elements that Redis was given
	done      int            // elements
	failed    TaskErrors
	printed   printers      // used by whoever collects
	lost      map[int]*task // the elements that failed, by their indexes
	ended     bool          // there are no more elements
	begun     bool          // Redis knows the job
	lasting   *lasting      // nil unless the job outlives its master
	missing   []int         // elements that were handed out, and are lost
	detaching bool          // all elements are to be handed out, and no results are waited for
	lastMoved time.Time     // when a result came
	audited   time.Time
	seen      time.Time     // when it was seen to its tasks
	asked     time.Time     // when it was seen whether somebody else has ended it
	quiet     time.Duration // without a result until the next audit
}

// chunk is elements that were handed out together.
type chunk struct {
	text   []byte // of their task
	first  int
	n      int
	left   int // elements that are not done
	at     time.Time
	copied bool   // a copy of it runs
	done   []bool // which are; nil if none

	task  task              // once one of its elements is needed
	elems []json.RawMessage // the same
}

func newJob(s *Sleigh, fn string, o JobOptions, from source, to sink) *job {
	j := &job{
		s: s, id: strings.ToLower(rand.Text()[:8]), fn: fn, o: o, source: from, sink: to, changed: make(chan struct{}, 1),
		ears: make(chan ear, 1), chunks: map[int]*chunk{}, printed: printers{}, lost: map[int]*task{}, paused: map[int]bool{}, attempts: map[int]int{},
		lastMoved: time.Now(), pace: pace{chunk: o.Chunk, load: o.LoadFactor},
	}
	j.results = newExchange(s.own, resultVarOf(j.id), resultVarOf(j.id), s.lease, s.log)
	if s.lasts && o.named {
		j.lasting = &lasting{whole: -1}
		j.lasting.known.Store(time.Now().UnixNano())
		to.report(j.used, j.isMine)
	}
	return j
}

// begin makes the job known in Redis, and run has to be called if there is no error. Without begin, the job begins with its
// first tasks.
func (j *job) begin(ctx context.Context) error {
	if err := j.enter(); err != nil {
		return err
	}
	ctx, cancel := j.within(ctx)
	defer cancel(nil)
	var err error
	if j.lasting != nil {
		err = j.open(ctx)
	} else if err = j.handOut(ctx, nil, 0); err != nil {
		j.end(ctx) // it may have begun
	}
	if err != nil {
		j.s.leave(j)
	}
	return j.why(ctx, err)
}

// enter has the sleigh know the job.
func (j *job) enter() error {
	if err := j.s.mayBegin(); err != nil {
		return err
	}
	return j.s.enter(j)
}

// runAtOnce is run without begin, where that can be.
func (j *job) runAtOnce(ctx context.Context) error {
	if j.lasting != nil {
		if err := j.begin(ctx); err != nil {
			return err
		}
		return j.run(ctx)
	}
	if err := j.enter(); err != nil {
		return err
	}
	return j.run(ctx)
}

// within makes a context end with the sleigh.
func (j *job) within(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	unwatch := context.AfterFunc(j.s.ctx, func() { cancel(context.Cause(j.s.ctx)) })
	return ctx, func(cause error) {
		unwatch()
		cancel(cause)
	}
}

// why is the error of a call that ended with err; nil if it has all results.
func (j *job) why(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, errFinished) {
		return nil
	}
	if over := j.s.over(); over != nil {
		return over
	}
	if ctx.Err() != nil && j.sinkErr == nil {
		err = context.Cause(ctx) // why, rather than that it ended
	}
	if errors.Is(err, errFinished) {
		return nil
	}
	if _, failed := errors.AsType[TaskErrors](err); failed {
		return err
	}
	return j.of(err)
}

// of says of which function's job an error is.
func (j *job) of(err error) error { return fmt.Errorf("sleigh: %s: %w", j.fn, err) }

// run hands out the elements and takes the results, until all are done or ctx ends.
func (j *job) run(ctx context.Context) error {
	defer j.s.leave(j)
	caller := ctx
	ctx, cancel := j.within(ctx)
	defer cancel(nil)
	coming, noMore := ctx, cancel // results are, until all elements are done
	if j.lasting != nil {         // what has come is still to be used then
		coming, noMore = context.WithCancelCause(ctx)
		defer noMore(nil)
	}
	unwatch := context.AfterFunc(ctx, j.sink.stop)
	defer unwatch()
	var feeding sync.WaitGroup
	feeding.Go(func() {
		switch err := j.feed(coming, caller); {
		case isAllDone(err):
			noMore(err)
		case err != nil:
			cancel(err)
		}
	})
	var err error
	if j.lasting != nil {
		feeding.Go(func() {
			if err := j.noteAll(ctx); err != nil {
				cancel(err)
			}
		})
		err = j.follow(coming, ctx)
	} else {
		err = j.collect(ctx)
	}
	unwatch()
	cancel(err)
	feeding.Wait()
	if _, over := j.progress(); over != nil { // otherwise it was told to end at once
		j.s.output.await(j.s.ctx, j.printed)
	}
	if p := j.source.panicked(); p != nil {
		defer panic(p)
	}
	switch {
	case j.lasting != nil:
		j.conclude(ctx, err)
	case isAllDone(context.Cause(ctx)) && !j.s.lasts:
		j.dropEar()
		j.s.ends.add(j.s.own, j.id) // nobody waits for that: with the sleigh, all of it goes
	default:
		j.end(ctx)
	}
	slices.SortFunc(j.failed, byIndex)
	return j.endedBy(j.why(ctx, err))
}

// end deletes what Redis knows of the job: results that come late go nowhere, and workers drop what is left of it.
func (j *job) end(ctx context.Context) {
	j.dropEar()
	quick, cancel := context.WithTimeout(context.WithoutCancel(ctx), endFor)
	defer cancel()
	_ = j.s.endJob(quick, j.id, "", nil, "")
}

// nudge has the feed look whether there is something to do.
func (j *job) nudge() {
	select {
	case j.changed <- struct{}{}:
	default:
	}
}

// progress says how many elements are done, and why the job is over, if it is.
func (j *job) progress() (done int, over error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.o.StopAtError && len(j.failed) > 0:
		return j.done, j.failed
	case j.ended && len(j.chunks) == 0 && len(j.missing) > 0:
		return j.done, fmt.Errorf("%w, from index %d on", ErrIncomplete, slices.Min(j.missing))
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
	j.printed.note(&r)
	j.mu.Lock()
	c := j.chunks[r.Chunk]
	j.lasting.readOld()
	if c == nil || r.N < 1 || r.First < c.first || r.First+r.N > c.first+c.n {
		j.retryOld()
		j.mu.Unlock() // it came before, from elsewhere
		return nil
	}
	j.lastMoved = time.Now()
	j.speed.note(j.lastMoved, r.N)
	j.pace.note(r.N, r.Took, max(len(text), len(c.text)*r.N/c.n))
	failures := map[int]*TaskError{}
	for _, e := range r.Failed {
		failures[e.Index] = e
	}
	c.put(r.Elems)
	var final []*TaskError
	skipped := map[int]bool{}
	for i := r.First; i < r.First+r.N && (c.done != nil || len(failures) > 0 || r.N < c.n); i++ {
		failure := failures[i]
		switch {
		case c.isDone(i):
			skipped[i] = true
		case failure != nil && failure.Attempt < j.o.Attempts && len(failure.Deaths) < maxDeaths && c.one(i) != nil:
			skipped[i] = true
			if !j.lasting.putOff(failure) {
				j.retry(c, failure)
			}
		case failure != nil:
			skipped[i] = true
			c.finish(i)
			delete(j.attempts, i)
			j.done++
			j.failed = append(j.failed, failure)
			if t := c.one(i); t != nil {
				j.lost[i] = t
			}
			final = append(final, failure)
			j.lasting.fail(failure)
		default:
			c.finish(i)
			delete(j.attempts, i)
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
	j.retryOld()
	j.mu.Unlock()

	j.s.hosts.note(j.s.log, j.fn, r.Host, r.N, len(r.Failed))
	for _, e := range final {
		j.sink.fail(e)
	}
	return j.sink.take(&r, func(i int) bool { return skipped[i] })
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
	j.paused[t.First], j.attempts[t.First] = true, failure.Attempt
	c.at = time.Now() // no copy of it before it runs again
	time.AfterFunc(j.o.backoff(failure.Attempt), func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.again = append(j.again, t)
		j.nudge()
	})
}

// put notes elements, by their indexes, that the master was not given by the caller.
func (c *chunk) put(elems map[int]json.RawMessage) {
	for i, text := range elems {
		if k := i - c.first; c.text == nil && k >= 0 && k < len(c.elems) {
			c.elems[k] = text
		}
	}
}

// one is a task of one element of the chunk; nil if the master does not know the element.
func (c *chunk) one(i int) *task {
	if c.elems == nil && json.Unmarshal(c.text, &c.task) == nil {
		c.elems, _ = split(c.task.Elems)
	}
	t := c.task
	t.First, t.N = i, 1
	if k := i - c.first; k < len(c.elems) {
		if c.elems[k] == nil {
			return nil
		}
		t.Elems = joinTexts(c.elems[k : k+1])
	}
	return &t
}

// repeat takes over the elements of a job that failed.
func (j *job) repeat(other *job) {
	j.next, j.others = other.next, other.next-len(other.lost)
	for i, t := range other.lost {
		t := *t
		t.Job, t.Chunk, t.Attempt, t.Deaths = j.id, i, 0, nil
		c := &chunk{text: t.text(), first: i, n: 1, left: 1}
		j.chunks[i] = c
		j.outBytes += len(c.text)
		j.again = append(j.again, &t)
	}
}

// check says how far the job is.
func (j *job) check() JobProgress {
	j.mu.Lock()
	defer j.mu.Unlock()
	return JobProgress{Submitted: j.next - j.others, Done: j.done, Failed: len(j.failed), All: j.ended}
}

func (j *job) failures() TaskErrors {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.SortedFunc(slices.Values(j.failed), byIndex)
}

func byIndex(a, b *TaskError) int { return cmp.Compare(a.Index, b.Index) }

// total is the number of elements, once the job has run, with those of the job that it repeats.
func (j *job) total() int { return j.next }
