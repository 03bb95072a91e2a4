package sleigh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/netspaces/netspaces/redisx"
)

const (
	submitBatch  = 200     // tasks submitted at a time
	submitBytes  = 1 << 20 // and their size, but for at least one
	aheadOfOrder = 50_000  // elements that may be handed out beyond one that is not done, if their order matters
	feedTries    = 20      // of submitting over a connection that breaks
	feedPause    = 100 * time.Millisecond
)

// feed hands out the elements as there is room. What it returns ends the job, unless it is nil.
func (j *job) feed(ctx, caller context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var pulling sync.WaitGroup
	defer pulling.Wait()
	pulled := make(chan error, 1)
	pulling.Go(func() {
		err := errSequence // unless pull returns
		defer func() { pulled <- err }()
		err = j.source.pull(ctx, caller, j.nudge)
	})
	defer cancel() // first of all
	look := time.NewTicker(lookAtJob)
	defer look.Stop()
	for {
		tasks, elements := j.gather()
		resized := j.resized.Swap(false) && len(j.ranks) == 0
		if len(tasks) > 0 || resized {
			if err := j.handOut(ctx, tasks, elements); err != nil {
				return err
			}
			continue
		}
		if j.lasting.isToAudit() {
			if err := j.audit(ctx); err != nil {
				return err
			}
			continue
		}
		if _, over := j.progress(); over != nil {
			return over
		}
		if j.isHandedOver() {
			return ErrDetached
		}
		select {
		case <-j.changed:
		case <-look.C:
			if err := j.lookAfter(ctx); err != nil {
				return err
			}
		case err := <-pulled:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// gather makes tasks of what is to be handed out and has room, and says how many elements these have.
func (j *job) gather() (tasks [][]byte, elements int) {
	size := 0
	for len(tasks) < submitBatch && size < submitBytes {
		text, n := j.gatherOne()
		if text == nil {
			break
		}
		tasks = append(tasks, text)
		elements += n
		size += len(text)
		if len(j.ranks) > 0 {
			break // each goes into a variable of its own
		}
	}
	return tasks, elements
}

func (j *job) gatherOne() (text []byte, n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.again) > 0 {
		return j.gatherAgain()
	}
	if j.lasting.skips() {
		j.skip()
		return nil, 0
	}
	if !j.hasRoom() {
		return nil, 0
	}
	size := j.pace.elements()
	if len(j.ranks) == 0 {
		ahead := max(2*size, min(2*j.window(), submitBatch))
		if j.pace.bytes > 0 {
			ahead = min(ahead, max(size, j.o.LoadBytes/j.pace.bytes))
		}
		j.source.ahead(ahead)
	}
	elems, n, errs, ended := j.source.take(size)
	if ended && !j.ended && j.lasting != nil {
		j.lasting.changed = true // Redis is to know that there are no more
	}
	j.ended = j.ended || ended
	if n == 0 {
		return nil, 0
	}
	first := j.next
	j.next += n
	t := task{
		part: part{Job: j.id, Chunk: first, First: first, N: n}, Func: j.fn, Timeout: j.o.Timeout, Lease: j.o.Lease, Seed: j.o.Seed,
		Exports: j.s.exports.Load(), Lasts: j.lasting != nil, Elems: elems,
	}
	text = t.text()
	c := &chunk{text: text, first: first, n: n, left: n, at: time.Now()}
	tooLarge := len(text) > maxText
	for k := 0; tooLarge && k < n; k++ {
		if size := len(c.one(first + k).text()); size > maxText {
			if errs == nil {
				errs = map[int]error{}
			}
			errs[k] = fmt.Errorf("it has %d bytes, %d are allowed", size, maxText)
		}
	}
	for k, err := range errs {
		c.finish(first + k)
		j.refuse(first+k, err)
	}
	if c.left == 0 {
		j.nudge()
		return nil, 0
	}
	j.chunks[first] = c
	j.outBytes += len(text)
	if tooLarge || len(errs) > 0 { // each of the others by itself: the function is not to run for these
		j.offer(c, false, func(int) bool { return true })
		return j.gatherAgain()
	}
	return text, n
}

// gatherAgain takes the first of the tasks that are to be handed out once more. j.mu is held.
func (j *job) gatherAgain() (text []byte, n int) {
	t := j.again[0]
	j.again = j.again[1:]
	delete(j.paused, t.First)
	return t.text(), t.N
}

// hasRoom reports whether Redis should get more tasks. j.mu is held.
func (j *job) hasRoom() bool {
	if len(j.chunks) == 0 || j.detaching {
		return true
	}
	if j.o.Ordered && j.next-slices.Min(slices.Collect(maps.Keys(j.chunks))) > aheadOfOrder {
		return false // what comes after a late element waits for it at the master
	}
	return len(j.chunks) < 2*j.window() && j.outBytes < j.o.LoadBytes
}

// window is how many tasks are handed out at a time. j.mu is held.
func (j *job) window() int {
	if len(j.ranks) > 0 {
		return len(j.ranks)
	}
	return j.pace.tasks() * j.s.capacity() * j.o.Priority
}

// refuse gives an element that cannot be handed out its error. j.mu is held.
func (j *job) refuse(i int, err error) {
	host, hostErr := os.Hostname()
	if hostErr != nil {
		host = "unknown"
	}
	failure := &TaskError{
		Func: j.fn, Index: i, Worker: -1, Host: host, Message: "the element cannot be handed out: " + err.Error(),
	}
	j.done++
	j.failed = append(j.failed, failure)
	j.lasting.fail(failure)
	j.sink.fail(failure)
}

// handOut submits tasks. If it is not known whether it has, the number of elements that Redis has tells.
func (j *job) handOut(ctx context.Context, tasks [][]byte, elements int) error {
	for try := 1; ; try++ {
		err := j.submit(ctx, tasks, elements)
		if errors.Is(err, errLost) {
			return j.audit(ctx)
		}
		if _, unclear := errors.AsType[*redisx.UnknownError](err); !unclear || try == feedTries {
			return err
		}
		select {
		case <-time.After(feedPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// submit adds tasks to the job in Redis, which begins with the first call.
func (j *job) submit(ctx context.Context, tasks [][]byte, elements int) error {
	into := taskVar
	if len(j.ranks) > 0 && len(tasks) > 0 {
		var t task
		if err := json.Unmarshal(tasks[0], &t); err != nil {
			return err
		}
		into = taskVarOf(j.ranks[t.First])
	}
	j.mu.Lock()
	window, known := j.window(), j.known
	j.mu.Unlock()
	description := ""
	if !j.begun {
		info := jobInfo{ID: j.id, Name: j.o.Name, Func: j.fn, Priority: j.o.Priority, Began: time.Now(), Ranks: j.ranks}
		if j.lasting != nil {
			info.Keep = j.o.Keep
		}
		description = string(asJSON(info))
	}
	name := ""
	if j.lasting != nil {
		name = j.o.Name
	}
	do, waiter := j.s.own.Do, ""
	w := j.newEar()
	if w != nil {
		do, waiter = w.Do, w.Name()
	}
	args := []any{j.id, description, j.mastery(), name, window, known, elements, waiter}
	for _, text := range tasks {
		args = append(args, text)
	}
	variables := []string{into, countVarOf(j.id), backlogVarOf(j.id), resultVarOf(j.id), jobVarOf(j.id)}
	if j.s.lasts {
		variables = append(variables, masterVarOf(j.id), stateVarOf(j.id), failedVarOf(j.id))
	}
	if name != "" {
		variables = append(variables, namedVarOf(name))
	}
	word, texts, err := do(ctx, submitScript, variables, args...)
	born := ""
	if err == nil && waiter != "" && (word == "OK" || word == "DIFFERS") {
		born = texts[5]
	}
	j.submitted(w, born)
	if err != nil {
		return err
	}
	switch word {
	case "ENDED":
		return ErrEnded
	case "TAKEN":
		return j.heldBy(texts[0])
	case "EXISTS":
		return &existsError{texts[0]}
	}
	has, err := strconv.Atoi(texts[0])
	if err != nil {
		return fmt.Errorf("the job's numbers are not readable: %w", err)
	}
	if word == "DIFFERS" && has != known+elements {
		err = errLost
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.known, j.begun = has, true
	return err
}

// errLost says that Redis does not have the elements that it was given.
var errLost = errors.New("elements of the job are not there any more")

// jobInfo says what a job is.
type jobInfo struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Func     string    `json:"func"`
	Priority int       `json:"priority"`
	Began    time.Time `json:"began"`

	Ranks []int         `json:"ranks,omitempty"` // of EachWorker
	Keep  time.Duration `json:"keep,omitempty"`  // of a job that outlives its master: for how long it is known when it has ended
}
