package sleigh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// Attach takes over the job of a name that this function has in a team that lasts, and goes on where its last master was:
// what was computed is not computed again, and each result is given once, but for those that the last master had used for
// less than 100 ms when it died: tell these by their indexes. It is EachElem, Accumulate or Submit with the name in
// JobOptions.Name and the same elements again that a program calls which was interrupted; these attach by themselves, and hand
// out the elements that are left. Attach hands out none: if the last master had not handed out all, the job fails with
// ErrIncomplete when those are done that it had.
//
// It returns a HeldError that names the job's master while that lives: it blocks until it knows that, for some two seconds, or
// until nothing was heard of that master for 6 s; else for some round trips. It returns ErrFinished if the job has finished,
// and ErrNoJob if there is no such job.
func (f Func[A, R]) Attach(ctx context.Context, s *Sleigh, name string, opts *JobOptions) (*Job[R], error) {
	var named JobOptions
	if opts != nil {
		named = *opts
	}
	named.Name = name
	o, err := named.resolve(f.name)
	if err != nil {
		return nil, err
	}
	if s.visits {
		return nil, ErrVisitor
	}
	if !s.lasts || name == "" {
		return nil, fmt.Errorf("sleigh: %w: %q: jobs outlive their masters by a name, in a team that was joined", ErrNoJob, name)
	}
	results := newResults[R]()
	return submit(ctx, newJob(s, f.name, o, absent{newSequence(iter.Seq[A](func(func(A) bool) {}))}, results), results)
}

// absent is the source of a job whose elements are known to somebody else.
type absent struct{ source }

func (j *job) isAbsent() bool {
	_, absent := j.source.(absent)
	return absent
}

// existsError says that there is a job of the name.
type existsError struct{ id string }

func (e *existsError) Error() string { return "the job " + e.id + " has the name" }

// open begins a job that outlives masters, or takes over the one that there is.
func (j *job) open(ctx context.Context) error {
	var sign time.Time // of life, of a master that has the job
	for tries := 1; ; tries++ {
		var id string
		known, err := j.s.own.Known(ctx, namedVarOf(j.o.Name)) // asking for it would make it known
		if known && err == nil {
			known, err = j.s.own.TryFind(ctx, namedVarOf(j.o.Name), &id)
		}
		switch {
		case err != nil:
			return err
		case known:
			err = j.attach(ctx, id)
		default:
			if err := j.s.refuseFinished(ctx, j.o.Name); err != nil {
				return err
			}
			if j.isAbsent() {
				return fmt.Errorf("%w: %q", ErrNoJob, j.o.Name)
			}
			err = j.handOut(ctx, nil, 0)
		}
		if held, ok := errors.AsType[*HeldError](err); ok {
			last := time.Now().Add(-held.silent)
			if lives := last.Sub(sign) > livesAfter; lives && !sign.IsZero() {
				return err
			}
			if sign.IsZero() {
				sign = last
			}
			tries = 0
			pause(ctx, heldPause)
			if ctx.Err() == nil {
				continue
			}
			return err
		}
		if _, exists := errors.AsType[*existsError](err); !exists && !errors.Is(err, errOver) || tries >= feedTries {
			return err
		}
	}
}

// A master that has the job may have died just now: it is waited for its next sign of life, or until it counts as dead.
const (
	heldPause  = 250 * time.Millisecond
	livesAfter = 500 * time.Millisecond // that a sign must be later than another one, by clocks that are read over a network
)

func (j *job) heldFor(texts []string) error {
	err := j.heldBy(texts[0])
	ms, bad := strconv.Atoi(texts[1])
	if held, ok := errors.AsType[*HeldError](err); ok && bad == nil {
		held.silent = time.Duration(ms) * time.Millisecond
	}
	return err
}

// errOver says that a job has ended in the moment when it was to be taken over.
var errOver = fmt.Errorf("%w any more", ErrNoJob)

// master makes this the master of the job, and says what is known of the job.
func (j *job) master(ctx context.Context) (state, error) {
	var st state
	asked := time.Now()
	word, texts, err := j.s.own.Do(ctx, attachScript,
		[]string{countVarOf(j.id), backlogVarOf(j.id), resultVarOf(j.id), jobVarOf(j.id), masterVarOf(j.id), stateVarOf(j.id)},
		j.id, j.mastery(), `"func":`+string(asJSON(j.fn))+",")
	switch {
	case err != nil:
		return st, err
	case word == "ENDED":
		return st, errOver
	case word == "OTHER":
		var info jobInfo
		if err := json.Unmarshal([]byte(texts[0]), &info); err != nil {
			return st, fmt.Errorf("the description of the job is not readable: %w", err)
		}
		return st, fmt.Errorf("the job %q is of another function: %s", j.o.Name, info.Func)
	case word == "HELD":
		return st, j.heldFor(texts)
	}
	j.lasting.known.Store(asked.UnixNano())
	if texts[0] != "" {
		if err := json.Unmarshal([]byte(texts[0]), &st); err != nil {
			return st, fmt.Errorf("the state of the job is not readable: %w", err)
		}
	}
	return st, nil
}

func (j *job) attach(ctx context.Context, id string) error {
	j.s.mu.Lock()
	j.id = id // others find the job by it
	j.s.mu.Unlock()
	j.s.ids.add(id)
	st, err := j.master(ctx)
	if err != nil {
		return err
	}
	if err := j.takeOver(ctx, st); err != nil {
		quick, cancel := context.WithTimeout(context.WithoutCancel(ctx), endFor)
		defer cancel()
		_, _, _ = j.s.own.Do(quick, noteScript, j.noted(), j.id, 0, asJSON(st), 1) // leaves it to others
		return err
	}
	return nil
}

// takeOver reads what there is of the job.
func (j *job) takeOver(ctx context.Context, st state) error {
	var failed []*TaskError
	for e, err := range workspace.NewVar[*TaskError](j.s.own, failedVarOf(j.id)).IFind().Try(ctx) {
		if err != nil {
			return err
		}
		failed = append(failed, e)
	}
	if j.sink.gathers() && st.used(failed) {
		return fmt.Errorf("%w, some of them by another master: ask for the others by Accumulate or All", ErrGathered)
	}
	word, texts, err := j.s.own.Do(ctx, auditScript, []string{taskVar, countVarOf(j.id), backlogVarOf(j.id), resultVarOf(j.id)}, j.id)
	if err != nil {
		return err
	}
	if word == "ENDED" {
		return errOver
	}
	has, err := strconv.Atoi(texts[0])
	if err != nil {
		return fmt.Errorf("the job's numbers are not readable: %w", err)
	}
	j.resume(st, failed, has, partsOf(texts[1:]))
	return nil
}

// resume takes over what the last master knew, as far as Redis has it.
func (j *job) resume(st state, failed []*TaskError, has int, there parts) {
	j.mu.Lock()
	defer j.mu.Unlock()
	l := j.lasting
	l.gone, l.dropped, l.kept, l.audit, l.changed = st.Gone, st.Dropped, len(failed), true, true
	l.before = st.used(failed)
	if st.All {
		l.whole = st.Total
	}
	l.old, l.best, l.tasked = len(there.results), map[int]*TaskError{}, map[int]bool{}
	j.resized.Store(true) // it may have paused
	j.begun, j.known, j.next = true, has, st.Gone.end()
	ends := map[int]int{} // of chunks, by their first
	for first, parts := range there.byChunk() {
		for _, p := range parts {
			ends[first] = max(ends[first], p.First+p.N)
		}
		j.next = max(j.next, ends[first])
	}
	for _, parts := range there.tasks {
		for _, p := range parts {
			for i := p.First; i < p.First+p.N; i++ {
				l.tasked[i] = true
			}
		}
	}
	if !j.isAbsent() {
		l.toSkip = j.next
	} else if l.whole != j.next {
		j.missing = append(j.missing, j.next)
	}
	firsts := slices.Sorted(maps.Keys(ends))
	for i := 0; i < j.next; {
		if l.gone.has(i) {
			i++
			continue
		}
		for len(firsts) > 0 && ends[firsts[0]] <= i {
			firsts = firsts[1:]
		}
		first, end := i, i+1 // of a chunk that nothing is known of
		if len(firsts) > 0 && firsts[0] <= i {
			first, end = firsts[0], ends[firsts[0]]
		}
		c := &chunk{first: first, n: end - first, left: end - first, at: j.lastMoved, elems: make([]json.RawMessage, end-first)}
		c.task = task{
			part: part{Job: j.id, Chunk: first}, Func: j.fn, Timeout: j.o.Timeout, Lease: j.o.Lease, Seed: j.o.Seed,
			Exports: j.s.exports.Load(), Lasts: true,
		}
		for k := first; k < end; k++ {
			if l.gone.has(k) {
				c.finish(k)
			}
		}
		j.chunks[first] = c
		l.resumed = append(l.resumed, c)
		i = end
	}
	j.retryOld() // if there were no results
	j.done = l.gone.count()
	gone := slices.Clone(l.gone)
	j.sink.resume(gone.has)
	j.resumeFailed(failed, there.byChunk())
}

// resumeFailed takes over failures: those that were used, and those of which nothing else is there, since the elements could not
// be handed out. The results of others come again. j.mu is held.
func (j *job) resumeFailed(failed []*TaskError, there map[int][]part) {
	last := map[int]*TaskError{}
	for _, e := range failed {
		last[e.Index] = e
	}
	for i, e := range last {
		if j.lasting.gone.has(i) {
			j.failed = append(j.failed, e)
		}
	}
	for first, c := range j.chunks {
		for i := c.first; i < c.first+c.n && len(last) > 0; i++ {
			if e := last[i]; e != nil && !c.isDone(i) && !hasPart(there[first], i) {
				c.finish(i)
				j.done++
				j.failed = append(j.failed, e)
				j.sink.fail(e)
			}
		}
		if c.left == 0 {
			delete(j.chunks, first)
		}
	}
}

// skip passes over elements of the sequence that were handed out before, and keeps those that are not done. j.mu is held.
func (j *job) skip() {
	l := j.lasting
	j.source.ahead(chunkMax)
	texts, n, errs, ended := j.source.take(min(l.toSkip, chunkMax))
	if n > 0 {
		from := j.next - l.toSkip
		elems, err := split(texts)
		for len(l.resumed) > 0 && l.resumed[0].first+l.resumed[0].n <= from {
			l.resumed = l.resumed[1:]
		}
		for _, c := range l.resumed {
			if c.first >= from+n {
				break
			}
			for k := max(from, c.first); err == nil && k < min(from+n, c.first+c.n); k++ {
				c.elems[k-c.first] = slices.Clone(elems[k-from])
				bad := errs[k-from]
				if len(elems[k-from]) > maxText-aroundValues {
					bad = fmt.Errorf("it has %d bytes, %d are allowed", len(elems[k-from]), maxText)
				}
				if bad != nil && !c.isDone(k) { // the last master had no time to say so
					c.finish(k)
					j.refuse(k, bad)
				}
			}
			if c.left == 0 {
				delete(j.chunks, c.first)
			}
		}
		l.toSkip -= n
	}
	if ended && l.toSkip > 0 { // there are fewer than the last time
		j.missing = append(j.missing, j.next-l.toSkip)
		l.toSkip = 0
	}
	j.ended = j.ended || ended
	if n > 0 || ended {
		j.nudge()
	}
}

// Detach leaves a named job of a team that lasts to itself, once Redis has all of its elements, and returns then: somebody
// may Attach to it later. Results that nobody has asked for are not lost. The job takes as much of Redis as its elements and
// results do. It returns what ended the job before, if something has.
func (job *Job[R]) Detach(ctx context.Context) error {
	j := job.j
	if j.lasting == nil {
		return fmt.Errorf("sleigh: %s: Detach needs a job that has a name, in a team that was joined", j.fn)
	}
	j.mu.Lock()
	j.detaching = true
	j.mu.Unlock()
	j.nudge()
	select {
	case <-job.over:
	case <-ctx.Done():
		j.mu.Lock()
		defer j.mu.Unlock()
		j.detaching = false // it goes on here
		return ctx.Err()
	}
	if err := job.broke(); err != nil && !errors.Is(err, ErrDetached) {
		return err
	}
	return nil
}

// isHandedOver reports whether Redis has all of a job that is to be left to itself.
func (j *job) isHandedOver() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.detaching && j.ended && len(j.again)+len(j.paused) == 0 && !j.lasting.skips()
}
