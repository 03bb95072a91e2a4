package sleigh

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

const (
	batchTime   = 50 * time.Millisecond  // of work, claimed at a time when tasks are short
	batchMax    = 100                    // tasks claimed at a time
	maxDeaths   = 3                      // workers that may die over an element
	maxPieces   = 400                    // tasks made of one whose holder has died
	settleBytes = 8 << 20                // of results settled at a time, but for at least one
	lookEvery   = 500 * time.Millisecond // at what a long task may need
)

var errNoElements = errors.New("it has no elements")

// batch is tasks that are claimed together. They run one after the other.
type batch struct {
	w        *Worker
	claim    *workspace.Claim
	in       string // the variable that they are claimed from
	exchange *exchange
	telling  baton // held while Redis is told what came of tasks

	mu      sync.Mutex
	next    int        // the next to run
	end     int        // where to stop: what comes after has been released
	over    bool       // run has come there
	running *execution // the one that runs
	runs    int        // its index in the claim
	lease   time.Duration
	done    []outcome
	bytes   int       // of done
	settled time.Time // when done was settled the last time
}

// outcome is what came of a task: a result for the elements that were run, and tasks for those that are left.
type outcome struct {
	index   int
	of      *part  // as Redis should have it; nil if that does not matter
	job     string // empty if it is to be dropped
	done    int    // elements
	failed  int    // of these
	result  []byte
	kept    []byte   // the part that goes on; empty if none does
	instead [][]byte // parts for others
}

// run runs the tasks and settles them with their results. The slot is free then, if it is one.
func (b *batch) run(ctx context.Context, s *slot) {
	if b.claim.Attempt > 1 {
		b.scatter()
		return
	}
	began := time.Now()
	defer b.keep()()
	for {
		if ctx.Err() != nil || b.w.isLeaving() {
			b.release()
		}
		i, ok := b.begin()
		if !ok {
			if s != nil {
				s.n = tasksAtOnce(time.Since(began), i)
			}
			if ctx.Err() != nil || b.w.isLeaving() {
				s = nil
			}
			b.settle(s)
			return
		}
		careful := b.runOne(ctx, i)
		if (careful || b.isDue()) && b.hasMore() {
			b.settle(nil)
		}
	}
}

// tasksAtOnce is how many should be claimed at a time, after so many have taken so long.
func tasksAtOnce(took time.Duration, ran int) int {
	each := max(took/time.Duration(max(ran, 1)), time.Microsecond)
	return int(min(batchMax, max(1, batchTime/each)))
}

// scatter is for tasks whose holder has died. The first of them was running, or one of its elements: so that it is known
// over which a worker dies the next time, each element becomes a task of its own, which is settled by itself.
func (b *batch) scatter() {
	death := b.w.deathOf(b.claim.Before)
	for i, value := range b.claim.Values {
		var t task
		if err := json.Unmarshal(value.Text, &t); err != nil {
			b.w.log.Error("a task is not readable, and is dropped", "error", err)
			b.done = append(b.done, outcome{index: value.Index})
			continue
		}
		o := outcome{index: value.Index, of: &t.part, job: t.Job}
		if i == 0 && death != nil && b.diedOver(&t) {
			t.Deaths = append(t.Deaths, *death)
		}
		if len(t.Deaths) >= maxDeaths {
			r := result{part: t.part, Worker: b.w.rank, Values: json.RawMessage("[null]")}
			poison := b.w.failure(&t, t.First, fmt.Sprintf("%d workers died while they ran it", len(t.Deaths)), "")
			poison.Attempt = len(t.Deaths)
			r.Failed = []*TaskError{poison}
			if t.Lasts {
				r.Elems = t.elements(r.Failed)
			}
			o.done, o.failed, o.result = 1, 1, r.text()
		} else {
			o.instead = t.pieces()
		}
		b.done = append(b.done, o)
	}
	b.settle(nil)
}

// diedOver reports whether the death of its holder counts for a task, the first of those that it held: if it was one element,
// which ran. Where there are slots, others may have run beside it.
func (b *batch) diedOver(t *task) bool {
	one := len(b.claim.Values) == 1
	switch {
	case t.N > 1:
		return false
	case b.in != taskVar:
		return t.Careful || one
	case t.Careful:
		return t.Begun
	}
	return one && b.w.slots == 1
}

// pieces makes tasks of one element each of a task, or of some where there are many.
func (t *task) pieces() [][]byte {
	var all [][]byte
	n := (t.N + maxPieces - 1) / maxPieces
	for k := 0; k < t.N; k += n {
		all = append(all, t.piece(k, min(k+n, t.N), true))
	}
	return all
}

// piece is a task of some elements of a task.
func (t *task) piece(from, to int, careful bool) []byte {
	texts, err := split(t.Elems)
	if err != nil || len(texts) != t.N {
		texts = slices.Repeat([]json.RawMessage{json.RawMessage("null")}, t.N) // not readable for the function either
	}
	piece := *t
	piece.First, piece.N, piece.Careful, piece.Begun, piece.Elems = t.First+from, to-from, careful, false, joinTexts(texts[from:to])
	return asJSON(piece)
}

// asJSON converts what is known to convert.
func asJSON(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("sleigh: %T does not convert to JSON: %v", v, err))
	}
	return text
}

// isCareful reports whether a worker has died over one of the tasks.
func (b *batch) isCareful() bool {
	var t task
	return b.claim.Attempt > 1 || json.Unmarshal(b.claim.Values[0].Text, &t) == nil && t.Careful
}

func (b *batch) begin() (i int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == b.end {
		b.over = true
		return b.next, false
	}
	b.next++
	return b.next - 1, true
}

func (b *batch) hasMore() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.next < b.end
}

// isDue reports whether what is done should not wait for more.
func (b *batch) isDue() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Since(b.settled) > batchTime || b.bytes > settleBytes
}

// runOne runs a task, and keeps what came of it. It returns whether that is to be settled before another begins.
func (b *batch) runOne(ctx context.Context, i int) (careful bool) {
	value := b.claim.Values[i]
	o := outcome{index: value.Index}
	var t task
	if err := json.Unmarshal(value.Text, &t); err != nil || t.N < 1 {
		b.w.log.Error("a task is not readable, and is dropped", "error", cmp.Or(err, errNoElements))
	} else if b.w.lasts && b.in == taskVar && registered(t.Func) == nil {
		b.pass(&t, value.Index)
		return true
	} else if !b.w.dropped.has(t.Job) && !b.isStale(ctx, &t) {
		o = b.execute(ctx, &t, value.Index)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done = append(b.done, o)
	b.bytes += len(o.result)
	return t.Careful || len(o.instead) > 0
}

// pass leaves a task to another worker, whose program knows its function; where there is none, it goes round, slowly.
func (b *batch) pass(t *task, index int) {
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	_, _, err := b.w.own.Do(ctx, deferScript, []string{taskVar, countVarOf(t.Job), backlogVarOf(t.Job), resultVarOf(t.Job)},
		b.claim.ID(), index, t.Job)
	if err != nil && !isOver(err) {
		b.w.log.Warn("a task of an unknown function was not left to others", "func", t.Func, "error", err)
	}
	pause(b.w.leaving, lookEvery)
}

// isStale reports whether a task for this worker alone is left over from a job that has ended: it may have waited for the
// worker for long. Of other jobs the worker learns when it settles the first of their tasks.
func (b *batch) isStale(ctx context.Context, t *task) bool {
	if b.in == taskVar {
		return false
	}
	wanted, err := b.w.own.Known(ctx, countVarOf(t.Job))
	return err == nil && !wanted
}

// hold has the claim last as long as the job of a task wants.
func (b *batch) hold(lease time.Duration) {
	if lease == 0 {
		lease = b.w.lease
	}
	b.mu.Lock()
	same := b.lease == lease
	b.lease = lease
	b.mu.Unlock()
	if same {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	if err := b.claim.Renew(ctx, lease); err != nil && !isOver(err) {
		b.w.log.Warn("lease not renewed", "error", err)
	}
}

func (b *batch) holdsFor() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lease
}

func (b *batch) execute(ctx context.Context, t *task, index int) outcome {
	if o, known := b.w.inits.outcome(t, index); known {
		return o
	}
	b.hold(t.Lease)
	if b.in == taskVar {
		defer b.w.company.enter(ctx, t.Careful)()
		b.noteBegun(t, index)
	}
	e := b.w.execute(ctx, t)
	defer e.stop()
	b.mu.Lock()
	b.running, b.runs = e, index
	b.mu.Unlock()
	defer b.w.activity.begin(b)()
	e.runAll()
	b.telling.Lock()
	defer b.telling.Unlock()
	b.mu.Lock()
	b.running = nil
	b.mu.Unlock()
	if e.stuck {
		b.w.leaveSoon("a function goes on after its timeout, and the end of its context")
	}
	return e.outcome(index, false)
}

// noteBegun tells Redis that a careful task begins: one that only waits for that is not what its holder dies over.
func (b *batch) noteBegun(t *task, index int) {
	if !t.Careful {
		return
	}
	begun := *t
	begun.Begun = true
	b.tell([]outcome{{index: index, job: t.Job, kept: begun.text()}}, nil)
}

// settle settles what is done, also when the worker has been told to stop: what is done is done. The slot is free with that.
func (b *batch) settle(free *slot) {
	b.telling.Lock()
	defer b.telling.Unlock()
	b.mu.Lock()
	done, bytes := b.done, b.bytes
	b.done, b.bytes, b.settled = nil, 0, time.Now()
	b.mu.Unlock()
	if !b.tell(done, free) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.done, b.bytes = append(done, b.done...), b.bytes+bytes // for the next time, if there is one before the lease ends
	}
}

// share gives those elements of the task that runs to others which have not begun, and settles those that are done.
func (b *batch) share() {
	b.telling.Lock()
	defer b.telling.Unlock()
	b.mu.Lock()
	e, index := b.running, b.runs
	b.mu.Unlock()
	if e == nil || e.task.N == 1 {
		return
	}
	if o := e.outcome(index, true); (o.done > 0 || len(o.instead) > 0) && b.tell([]outcome{o}, nil) {
		e.toldOf(o)
	}
}

// tell tells Redis of outcomes, and reports whether it need not be told again.
func (b *batch) tell(done []outcome, free *slot) bool {
	if len(done) == 0 {
		return true
	}
	b.w.out.flush()
	err := b.exchange.tell(&news{claim: b.claim.ID(), done: done, slot: free})
	if err == nil || isOver(err) {
		b.w.activity.count(done)
		return true
	}
	b.w.log.Warn("results were not settled", "error", err)
	return false
}

// release gives back the tasks that have not begun.
func (b *batch) release() {
	b.mu.Lock()
	var left []int
	for _, value := range b.claim.Values[b.next:b.end] {
		left = append(left, value.Index)
	}
	end := b.end
	b.end = b.next
	b.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	if err := b.claim.Release(ctx, left...); err != nil && !isOver(err) {
		b.w.log.Warn("tasks were not given back", "error", err)
		b.mu.Lock()
		defer b.mu.Unlock()
		if !b.over {
			b.end = end // they run here, or are given back the next time
		}
	}
}

// lookAfter ends the task that runs if its job has ended.
func (b *batch) lookAfter(ctx context.Context) {
	b.mu.Lock()
	e := b.running
	b.mu.Unlock()
	if e == nil {
		return
	}
	wanted, err := b.w.own.Known(ctx, countVarOf(e.task.Job)) // not its results: its master may wait for these at this moment
	if wanted || err != nil {
		return
	}
	b.w.dropped.add(e.task.Job)
	e.stop()
}

// keep renews the lease until the returned function is called. If the batch takes longer than was thought, what is done
// does not wait for it, what has not begun goes to others, and a task that nobody waits for any more is told so.
func (b *batch) keep() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	looking, stopped := newBaton(), false
	renewed := time.Now()
	var late *time.Timer
	look := func() {
		looking.Lock()
		defer looking.Unlock()
		if stopped {
			return
		}
		lease := b.holdsFor()
		late.Reset(min(lookEvery, lease/3))
		b.release()
		b.settle(nil)
		b.share()
		b.lookAfter(ctx)
		if time.Since(renewed) > lease/4 {
			renewed = time.Now()
			if err := b.claim.Renew(ctx, lease); err != nil && ctx.Err() == nil {
				b.w.log.Warn("lease not renewed", "error", err)
			}
		}
	}
	looking.Lock() // late is to be known
	late = time.AfterFunc(min(3*batchTime, b.w.lease/3), look)
	looking.Unlock()
	return func() {
		cancel()
		late.Stop()
		looking.Lock()
		defer looking.Unlock()
		stopped = true
	}
}
