package sleigh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// noteEvery is how long results may have been used without Redis knowing it: a master that takes over gives these again.
const noteEvery = 100 * time.Millisecond

const (
	mineEvery = 2 * time.Second // at least, the job is seen to be this master's
	mineFor   = 5 * time.Second // nothing is used after that: it was a sign of life, and others count this one as dead 6 s after it
)

// lasting is what the master knows of a job that outlives masters. Its results stay in the list in Redis until they were
// used; what is not in it, nor in a task, was. All but telling is guarded by the mu of the job, and methods that are called
// for any job do nothing where it is nil.
type lasting struct {
	gone    ranges             // elements whose results, or failures, were used
	read    []part             // the results in Redis, from the head of the list on
	dropped int                // results that are not there any more
	failed  []*TaskError       // that Redis has not been told of
	kept    int                // those that it was
	changed bool               // since Redis was told
	toSkip  int                // elements of the sequence that were handed out before
	resumed []*chunk           // that were under way then, in their order
	old     int                // results that were there when this master took over, and that it has not read
	best    map[int]*TaskError // failures in these that may be tried again: the last attempt of each element
	tasked  map[int]bool       // elements of which tasks were there then
	audit   bool               // it is to be seen whether something was lost
	restart func()             // has all results be read again
	known   atomic.Int64       // when it was known to be this master's, in ns
	done    bool               // all results are there, and kept
	before  bool               // another master has used some
	whole   int                // elements that there are, if another master has handed out all of them; else -1

	telling sync.Mutex
}

// state is what Redis knows of that.
type state struct {
	Dropped int    `json:"dropped"` // results ever; see note.lua
	Gone    ranges `json:"gone"`
	All     bool   `json:"all"`   // no more elements will be submitted
	Total   int    `json:"total"` // elements that were, or were about to be
}

// used reports whether results were used, besides failures.
func (st *state) used(failed []*TaskError) bool {
	gone := st.Gone.count()
	seen := map[int]bool{}
	for _, e := range failed {
		if st.Gone.has(e.Index) && !seen[e.Index] {
			seen[e.Index] = true
			gone--
		}
	}
	return gone > 0
}

func (l *lasting) fail(e *TaskError) {
	if l != nil {
		l.failed = append(l.failed, e)
		l.changed = true
	}
}

// readOld counts a result that was there when this master took over.
func (l *lasting) readOld() {
	if l != nil && l.old > 0 {
		l.old--
	}
}

// putOff keeps a failure in such a result, of which later ones may have another attempt. What was there then may be the last
// one that is counted.
func (l *lasting) putOff(e *TaskError) bool {
	if l == nil || l.best == nil {
		return false
	}
	if before := l.best[e.Index]; before == nil || before.Attempt < e.Attempt {
		l.best[e.Index] = e
	}
	return true
}

// retryOld has elements tried again whose failures were there when this master took over, once it has read them all, unless
// there were tasks of them. j.mu is held.
func (j *job) retryOld() {
	l := j.lasting
	if l == nil || l.best == nil || l.old > 0 {
		return
	}
	best := l.best
	l.best = nil
	for i, e := range best {
		for _, c := range j.chunks {
			if i >= c.first && i < c.first+c.n && !c.isDone(i) && !l.tasked[i] {
				j.retry(c, e)
			}
		}
	}
}

// usedBefore reports whether another master has used results.
func (l *lasting) usedBefore() bool { return l != nil && l.before }

func (l *lasting) skips() bool { return l != nil && l.toSkip > 0 }

func (l *lasting) isToAudit() bool {
	if l == nil || l.toSkip > 0 {
		return false
	}
	audit := l.audit
	l.audit = false
	return audit
}

// compare notes that results which were read are still there: otherwise they are, or others, at other places. Those that were
// read are no sign of an element that is not done: its next attempt may have been lost.
func (l *lasting) compare(there *parts) {
	if l == nil {
		return
	}
	read := map[part]int{}
	for _, p := range l.read {
		read[p]++
	}
	there.results = slices.DeleteFunc(there.results, func(p part) bool {
		p.Job = ""
		was := read[p] > 0
		if was {
			read[p]--
		}
		return was
	})
	for _, n := range read {
		if n > 0 && l.restart != nil {
			l.restart()
			return
		}
	}
}

// isMine reports whether the job was this master's a moment ago: otherwise another one may use its results.
func (j *job) isMine() bool {
	return time.Since(time.Unix(0, j.lasting.known.Load())) < mineFor
}

// used notes that the result of an element was used.
func (j *job) used(i int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lasting.gone.add(i)
	j.lasting.changed = true
}

// follow reads results until all are there, as coming says, and were used, or until ctx ends.
func (j *job) follow(coming, ctx context.Context) error {
	for {
		reading, cancel := context.WithCancel(coming)
		j.mu.Lock()
		j.lasting.restart = cancel
		j.mu.Unlock()
		err := j.readResults(reading, ctx)
		again := reading.Err() != nil && coming.Err() == nil && errors.Is(err, context.Canceled)
		cancel()
		if !again {
			return err
		}
		if err := j.rewind(coming); err != nil {
			return err
		}
	}
}

// rewind has all results be read again: Redis may have come back with older data.
func (j *job) rewind(ctx context.Context) error {
	l := j.lasting
	l.telling.Lock()
	defer l.telling.Unlock()
	st, err := j.master(ctx)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	l.dropped, l.read = st.Dropped, nil
	return nil
}

func (j *job) readResults(coming, ctx context.Context) error {
	reported := 0
	for text, err := range workspace.NewVar[[]byte](j.s.own, resultVarOf(j.id)).IFind().All(coming) {
		if err != nil && coming.Err() != nil {
			break
		}
		if err != nil {
			return err
		}
		var p part
		if err := json.Unmarshal(text, &p); err != nil {
			return fmt.Errorf("a result is not readable: %w", err)
		}
		if err := j.take(text); err != nil {
			j.sinkErr = err
			return err
		}
		j.mu.Lock()
		p.Job = ""
		j.lasting.read = append(j.lasting.read, p)
		j.mu.Unlock()
		j.nudge()
		done, over := j.progress()
		if j.o.OnDone != nil && done > reported {
			j.o.OnDone(done)
		}
		if reported = done; over != nil {
			return j.awaitUse(ctx, over)
		}
	}
	if coming.Err() == nil {
		return ErrEnded
	}
	return j.awaitUse(ctx, context.Cause(coming))
}

// awaitUse waits until all results were used, or may be kept until they are.
func (j *job) awaitUse(ctx context.Context, over error) error {
	if !isAllDone(over) {
		return over
	}
	if err := j.sink.last(); err != nil {
		j.sinkErr = err
		return err
	}
	look := time.NewTicker(noteEvery / 2)
	defer look.Stop()
	for !j.sink.gathers() && !j.isUsed() {
		select {
		case <-look.C:
			j.mu.Lock()
			detaching := j.detaching
			j.mu.Unlock()
			if detaching {
				return ErrDetached
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return over
}

// isAllDone reports whether a job ends by an error since there is nothing more to do for it: what has come is still to be used.
func isAllDone(err error) bool { return errors.Is(err, errFinished) || errors.Is(err, ErrIncomplete) }

// isUsed reports whether the results of all elements that are done were used.
func (j *job) isUsed() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lasting.gone.count() >= j.done
}

// endedBy is the error of a job that somebody else has ended: ErrFinished if another master has had all the rest of it.
func (j *job) endedBy(err error) error {
	if j.lasting == nil || !errors.Is(err, ErrEnded) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), endFor)
	defer cancel()
	if other := j.s.refuseFinished(ctx, j.o.Name); errors.Is(other, ErrFinished) {
		return j.of(other)
	}
	return err
}

// noteAll has Redis know what was used, until ctx ends. It goes on when Redis has been away.
func (j *job) noteAll(ctx context.Context) error {
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			switch err := j.note(ctx, false); {
			case err == nil:
				j.sink.wake()
			case isAway(err): // nothing is used meanwhile
				j.s.log.Warn("Redis does not know what was used of a job", "job", j.o.Name, "error", err)
				pause(ctx, retryPause)
			default:
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// note has Redis know what was used since the last time. A master that leaves the job has no more to do with it.
func (j *job) note(ctx context.Context, leaves bool) error {
	l := j.lasting
	l.telling.Lock()
	defer l.telling.Unlock()
	j.mu.Lock()
	if !l.changed && !leaves && time.Since(time.Unix(0, l.known.Load())) < mineEvery {
		j.mu.Unlock()
		return nil
	}
	n := 0
	for n < len(l.read) && l.gone.hasAll(l.read[n].First, l.read[n].N) {
		n++
	}
	leaving := 0
	if leaves {
		leaving = 1
	}
	args := []any{j.id, l.kept, asJSON(state{
		Dropped: l.dropped + n, Gone: l.gone, All: j.isWhole(), Total: max(j.next, l.whole),
	}), leaving}
	for _, e := range l.failed {
		args = append(args, asJSON(e))
	}
	failed := len(l.failed)
	l.changed = false
	asked := time.Now()
	j.mu.Unlock()

	word, texts, err := j.s.own.Do(ctx, noteScript,
		j.noted(), args...)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil // it is told once more when the master leaves
	case err != nil:
		j.mu.Lock()
		defer j.mu.Unlock()
		l.changed = true
		return err
	case word == "ENDED":
		return ErrEnded
	case word == "TAKEN":
		return j.heldBy(texts[0])
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	l.read, l.failed = l.read[min(n, len(l.read)):], l.failed[failed:]
	l.dropped, l.kept = l.dropped+n, l.kept+failed
	l.known.Store(asked.UnixNano())
	return nil
}

// isWhole reports whether Redis has had all elements: this master knows their end, or another one did. j.mu is held.
func (j *job) isWhole() bool { return j.ended && !j.isAbsent() || j.next <= j.lasting.whole }

func (j *job) noted() []string {
	return []string{resultVarOf(j.id), masterVarOf(j.id), stateVarOf(j.id), failedVarOf(j.id)}
}

// conclude ends the job, or leaves it to the next master.
func (j *job) conclude(ctx context.Context, err error) {
	quick, cancel := context.WithTimeout(context.WithoutCancel(ctx), endFor)
	defer cancel()
	_, held := errors.AsType[*HeldError](err)
	_, failed := errors.AsType[TaskErrors](err)
	outcome := Outcome("")
	if !errors.Is(err, errFinished) {
		j.sink.stop()
	}
	switch {
	case held:
		return
	case errors.Is(err, errFinished) && !j.sink.gathers():
		outcome = Finished
	case failed:
		outcome = StoppedAtError
	case errors.Is(err, ErrEnded) || errors.Is(context.Cause(ctx), ErrEnded):
		outcome = Cancelled
	}
	var lost error
	p := j.check()
	last := FinishedJob{
		ID: j.id, Name: j.o.Name, Func: j.fn, Done: p.Done, Failed: p.Failed, Outcome: outcome, Ended: time.Now(),
		Until: time.Now().Add(j.o.Keep),
	}
	switch {
	case outcome != "":
		lost = j.s.endJob(quick, j.id, j.o.Name, &last, "")
	case errors.Is(err, errFinished):
		last.Outcome = Finished
		lost = j.keep(quick, &last)
	default:
		lost = j.note(quick, true)
	}
	if lost != nil {
		j.s.log.Warn("Redis does not know that the master has left the job", "job", j.o.Name, "error", lost)
	}
}

// keep leaves a job whose results were given as a whole: they are kept, but not for ever.
func (j *job) keep(ctx context.Context, last *FinishedJob) error {
	j.mu.Lock()
	j.lasting.changed = true // that there are no more elements
	j.mu.Unlock()
	if err := j.note(ctx, false); err != nil {
		return err
	}
	j.o.CancelAfter, j.lasting.done = j.o.Keep, true
	word, texts, err := j.s.own.Do(ctx, keepScript, []string{masterVarOf(j.id), finishedVar}, j.id, j.mastery(), asJSON(last))
	switch {
	case err != nil:
		return err
	case word == "ENDED":
		return ErrEnded
	case word == "TAKEN":
		return j.heldBy(texts[0])
	}
	return nil
}
