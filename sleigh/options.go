package sleigh

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// JobOptions are those of one job. The zero value of each is a default that is right without thinking.
type JobOptions struct {
	// Name says in lists which job it is. Defaults to the name of the function.
	//
	// In a team that lasts (see Join) it has the job outlive its master, and there is one job of a name at a time: see
	// Func.Attach. Redis keeps results until they were used: with Accumulate and All for a moment, with EachElem and Wait all
	// of them, for Keep.
	Name string
	// Pause has a named job hand out no more tasks while it has no master. Defaults to false: it goes on with what Redis has.
	Pause bool
	// CancelAfter ends a named job that has no master for so long. Defaults to 0: never.
	CancelAfter time.Duration
	// Keep is for how long a named job that has ended is known, and its results where EachElem or Wait had them. Defaults to
	// 24 h.
	Keep time.Duration
	// Chunk is how many elements are handed out together. Defaults to as many as take 50 ms, by those that are done.
	Chunk int
	// LoadFactor is how many tasks are handed out at a time for each task that the team can run at a time. Defaults to 4, and
	// more where tasks are short. As many again wait in Redis.
	LoadFactor int
	// LoadBytes is how large the tasks in Redis may be together, but for at least one. What their elements only name does not
	// count. Defaults to 64 MiB.
	LoadBytes int
	// Attempts is how many times an element is tried whose function returns an error. Defaults to 1: an error is a result.
	Attempts int
	// Backoff is the pause before the second attempt; each further one is twice as long, up to a minute. Defaults to 1 s.
	Backoff time.Duration
	// Timeout ends the context of the function for an element. A function that goes on for 5 s more is left to itself, and its
	// worker is replaced. Defaults to none.
	Timeout time.Duration
	// Priority is the share of the team that the job gets beside others: one of priority 3 gets three times as much as one of 1.
	// Defaults to 1.
	Priority int
	// Exclusive refuses other jobs of this sleigh while it runs, and itself while others do, by ErrOccupied.
	Exclusive bool
	// Ordered has All and Accumulate give the elements in their order, rather than as they are done. Defaults to false.
	Ordered bool
	// NoCopies keeps workers that have nothing else to do, at the end of the job, from running copies of tasks that take long.
	NoCopies bool
	// Lease is how long a worker may be silent before the tasks of this job that it has go to others. Defaults to that of the
	// sleigh.
	Lease time.Duration
	// StopAtError ends the job with the first element that fails for good.
	StopAtError bool
	// Seed is that of Rand. Defaults to 0.
	Seed uint64
	// OnDone is called with the number of elements that are done, each time that some more are: by the goroutine that
	// called EachElem, else by one of the job. Defaults to nothing.
	OnDone func(done int)

	named bool // by the caller
}

const (
	maxBackoff = time.Minute
	maxName    = 200 // bytes of a job's name
)

func (o *JobOptions) resolve(fn string) (JobOptions, error) {
	var r JobOptions
	if o != nil {
		r = *o
	}
	for name, n := range map[string]int{
		"Chunk": r.Chunk, "LoadFactor": r.LoadFactor, "LoadBytes": r.LoadBytes, "Attempts": r.Attempts, "Backoff": int(r.Backoff),
		"Timeout": int(r.Timeout), "CancelAfter": int(r.CancelAfter), "Keep": int(r.Keep), "Priority": r.Priority, "Lease": int(r.Lease),
	} {
		if n < 0 {
			return r, fmt.Errorf("sleigh: %s: %w", name, errNegative)
		}
	}
	if r.Lease > 0 && r.Lease < minLease {
		return r, fmt.Errorf("sleigh: a lease of %v is too short: at least %v", r.Lease, minLease)
	}
	if len(r.Name) > maxName || !utf8.ValidString(r.Name) || strings.ContainsFunc(r.Name, unicode.IsControl) {
		return r, fmt.Errorf("sleigh: bad name of a job: %.50q: it may have %d bytes of UTF-8, without control characters", r.Name, maxName)
	}
	if r.named = r.Name != ""; !r.named {
		r.Name = fn
	}
	if r.Keep == 0 {
		r.Keep = 24 * time.Hour
	}
	if r.LoadBytes == 0 {
		r.LoadBytes = 64 << 20
	}
	if r.Backoff == 0 {
		r.Backoff = time.Second
	}
	r.Attempts, r.Priority = max(r.Attempts, 1), max(r.Priority, 1)
	return r, nil
}

var errNegative = errors.New("it must not be negative")

// backoff is the pause after so many attempts.
func (o *JobOptions) backoff(attempts int) time.Duration {
	pause := o.Backoff
	for range attempts - 1 {
		if pause *= 2; pause > maxBackoff {
			return max(maxBackoff, o.Backoff)
		}
	}
	return pause
}
