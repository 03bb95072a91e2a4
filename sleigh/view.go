package sleigh

import (
	"slices"
	"time"
)

// jobView is what only its master knows of a job.
type jobView struct {
	id, fn  string
	ranks   []int         // of EachWorker: those that are not done
	each    time.Duration // that an element takes; 0 if nothing is known
	moved   time.Duration // since the last result, or since it began
	done    int           // elements
	out     int           // chunks that are not
	starved bool          // its sequence gives no more for now
	retries int           // elements that wait for their next attempt
	retryIn time.Duration // the first of them
	waiting int           // results that wait to be taken
	held    time.Duration // how long that has kept the job from going on; 0 if it does not
	runs    map[int]bool  // the elements that run, by what workers tell, and are not done
}

// heldUp is a sink that may have to wait for the program.
type heldUp interface {
	heldUp() (waiting int, since time.Time)
}

// view tells of the job, whose id that is, where workers say that these elements of it run, in order: what they say may be
// some time ago.
func (j *job) view(id string, running []int) jobView {
	v := jobView{id: id, fn: j.fn, runs: map[int]bool{}}
	if sink, ok := j.sink.(heldUp); ok {
		var since time.Time
		if v.waiting, since = sink.heldUp(); !since.IsZero() {
			v.held = time.Since(since)
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	v.each, v.moved, v.done, v.out = j.pace.each, time.Since(j.lastMoved), j.done, len(j.chunks)
	v.starved = !j.ended && j.source.starved()
	for _, c := range j.chunks {
		for i := c.first; i < c.first+c.n && len(j.paused) > 0; i++ {
			if !j.paused[i] {
				continue
			}
			in := max(time.Until(c.at.Add(j.o.backoff(j.attempts[i]))), 0) // c.at is when the last of its elements failed
			if v.retries++; v.retries == 1 || in < v.retryIn {
				v.retryIn = in
			}
		}
	}
	for first, c := range j.chunks {
		if len(j.ranks) > 0 {
			v.ranks = append(v.ranks, j.ranks[first])
		}
		for k, _ := slices.BinarySearch(running, c.first); k < len(running) && running[k] < c.first+c.n; k++ {
			v.runs[running[k]] = !c.isDone(running[k])
		}
	}
	return v
}

// patience is how long nothing may come of something that takes so long usually.
func patience(least, each time.Duration) time.Duration { return max(least, longFactor*each) }
