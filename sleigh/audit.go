package sleigh

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"
)

const (
	lookAtJob  = 500 * time.Millisecond
	askEvery   = time.Second
	seeTo      = 2 * time.Second // without a result, until it is seen to that no task stays on its way to a worker that has vanished
	quietFor   = 5 * time.Second // without a result, until the job is audited; each further time twice as long
	quietLong  = time.Minute
	copyAfter  = time.Second // a task may take, at the end of a job, until a worker that has nothing to do runs a copy of it
	copyFactor = 3           // or so many times as long as others have taken
)

// lookAfter does what is due from time to time.
func (j *job) lookAfter(ctx context.Context) error {
	held := false
	if sink, ok := j.sink.(heldUp); ok {
		_, since := sink.heldUp()
		held = !since.IsZero()
	}
	j.mu.Lock()
	if j.lastMoved.After(j.audited) {
		j.quiet = quietFor
	}
	since := j.lastMoved
	if j.audited.After(since) {
		since = j.audited
	}
	waits := len(j.chunks) > 0 && j.begun
	audit := waits && time.Since(since) > j.quiet
	if audit {
		j.quiet = min(2*j.quiet, quietLong)
	}
	see := waits && time.Since(j.lastMoved) > seeTo && time.Since(j.seen) > seeTo
	if see {
		j.seen = time.Now()
	}
	ask := j.isToAsk(held)
	j.copyLate()
	j.mu.Unlock()
	if ask {
		if err := j.isEnded(ctx); err != nil {
			return err
		}
	}
	switch {
	case audit:
		return j.audit(ctx)
	case see:
		return j.handOut(ctx, nil, 0)
	}
	return nil
}

// isToAsk reports whether it is time to see whether somebody else has ended the job: once after a result, since its end may
// fall between two waits for results, and from time to time while the program does not take those that are there. j.mu is held.
func (j *job) isToAsk(held bool) bool {
	due := j.asked.Before(j.lastMoved) || held && time.Since(j.asked) > askEvery
	if !due || !j.begun || time.Since(j.lastMoved) < lookAtJob {
		return false
	}
	j.asked = time.Now()
	return true
}

// copyLate has copies of late tasks run, once there is nothing else to do for all workers. The first result counts. j.mu is
// held.
func (j *job) copyLate() {
	if !j.ended || j.o.NoCopies || len(j.ranks) > 0 || len(j.again) > 0 || len(j.chunks) >= j.s.capacity() || !j.s.isAlone() {
		return
	}
	for _, c := range j.chunks {
		if c.copied || time.Since(c.at) < max(copyAfter, copyFactor*j.pace.task) {
			continue
		}
		c.copied = true
		j.offer(c, false, func(i int) bool { return !j.paused[i] })
	}
}

// offer hands elements of a chunk out once more that are not done. Those that Redis has lost, and this master never had, are
// missing. j.mu is held.
func (j *job) offer(c *chunk, lost bool, wanted func(i int) bool) (n int) {
	for i := c.first; i < c.first+c.n; i++ {
		if !c.isDone(i) && wanted(i) {
			t := c.one(i)
			if t == nil {
				if !lost {
					continue
				}
				j.missing = append(j.missing, i)
				if c.finish(i); c.left == 0 {
					delete(j.chunks, c.first)
				}
				continue
			}
			t.Attempt = j.attempts[i]
			j.again = append(j.again, t)
			n++
		}
	}
	if n > 0 {
		j.nudge()
	}
	return n
}

var partBegins = regexp.MustCompile(`"chunk":(\d+),"first":(\d+),"n":(\d+)(,"worker":)?`)

// parts are those of a job that Redis has: tasks by the first element of their chunk, and results.
type parts struct {
	tasks   map[int][]part
	results []part // the first of them in the order of their list
}

// partsOf reads the beginnings of tasks and results.
func partsOf(texts []string) parts {
	there := parts{tasks: map[int][]part{}}
	for _, text := range texts {
		if m := partBegins.FindStringSubmatch(text); m != nil {
			var p part
			p.Chunk, _ = strconv.Atoi(m[1])
			p.First, _ = strconv.Atoi(m[2])
			p.N, _ = strconv.Atoi(m[3])
			if m[4] != "" {
				there.results = append(there.results, p)
			} else {
				there.tasks[p.Chunk] = append(there.tasks[p.Chunk], p)
			}
		}
	}
	return there
}

// byChunk is where elements are that are not done, by the first element of their chunk.
func (there *parts) byChunk() map[int][]part {
	all := maps.Clone(there.tasks)
	for _, p := range there.results {
		all[p.Chunk] = append(slices.Clone(all[p.Chunk]), p)
	}
	return all
}

func hasPart(all []part, i int) bool {
	return slices.ContainsFunc(all, func(p part) bool { return i >= p.First && i < p.First+p.N })
}

// audit hands out again what Redis has lost, by a failover or by hand. It is called by the goroutine that feeds, so that
// nothing is on its way there.
func (j *job) audit(ctx context.Context) error {
	variables := []string{taskVar, countVarOf(j.id), backlogVarOf(j.id), resultVarOf(j.id)}
	args := []any{j.id}
	for _, rank := range j.ranks {
		variables = append(variables, taskVarOf(rank))
		args = append(args, taskVarOf(rank))
	}
	j.mu.Lock()
	before := maps.Clone(j.chunks)
	j.mu.Unlock()
	word, texts, err := j.s.own.Do(ctx, auditScript, variables, args...)
	if err != nil {
		return err
	}
	if word == "ENDED" {
		return ErrEnded
	}
	has, err := strconv.Atoi(texts[0])
	if err != nil {
		return fmt.Errorf("the job's numbers are not readable: %w", err)
	}
	there := partsOf(texts[1:])

	j.mu.Lock()
	j.audited, j.known = time.Now(), has
	j.lasting.compare(&there)
	waiting := there.byChunk()
	lost := 0
	for first, c := range before {
		if j.chunks[first] != c {
			continue // done meanwhile
		}
		lost += j.offer(c, true, func(i int) bool {
			return !j.paused[i] && !hasPart(waiting[first], i)
		})
	}
	j.mu.Unlock()
	if lost > 0 {
		j.s.log.Warn(fmt.Sprintf("Redis has lost %d elements of a job; they are handed out again", lost), "job", j.id, "func", j.fn)
	}
	return nil
}

// isEnded returns ErrEnded if somebody else has ended the job.
func (j *job) isEnded(ctx context.Context) error {
	known, err := j.s.own.Known(ctx, countVarOf(j.id))
	if err == nil && !known {
		err = ErrEnded
	}
	return err
}
