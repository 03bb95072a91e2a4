package sleigh

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

const (
	windowTasks = 1000     // tasks of a job handed out and not done
	windowBytes = 64 << 20 // and their size, but for at least one
	resultBatch = 1000     // results read at a time
	resultBytes = 16 << 20 // and their size, as far as that can be told from the last ones
	endFor      = 2 * time.Second
	feedTries   = 20 // of storing tasks over a connection that breaks
	feedPause   = 100 * time.Millisecond
)

var (
	// errFinished ends the context of a job that has all its results.
	errFinished = errors.New("finished")
	errSequence = errors.New("the sequence of elements did not return: it panicked or ended its goroutine")
)

// job is one call of EachElem or EachWorker at the master. One goroutine pulls the elements, one stores them as tasks, and
// that of the caller takes the results.
type job struct {
	s           *Sleigh
	id          string
	fn          string
	elems       iter.Seq2[string, any] // the variable to hand an element out in, and the element
	window      int
	windowBytes int
	put         func(i int, value json.RawMessage) error // takes a result; nil for that of a failed element
	onDone      func(done int)
	reported    int // what onDone was told last

	mu       sync.Mutex
	sizes    []int // of the task of each element, 0 when it is done
	out      int   // elements handed out and not done
	outBytes int
	done     int
	ended    bool          // there are no more elements
	room     chan struct{} // has a value after some were done
	failed   TaskErrors
	panicked any // what the sequence of elements panicked with
}

// run hands out the elements and collects the results, until all are done or ctx ends.
func (j *job) run(ctx context.Context) error {
	if err := j.s.over(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	unwatch := context.AfterFunc(j.s.ctx, func() { cancel(context.Cause(j.s.ctx)) })
	defer unwatch()

	j.id = strings.ToLower(rand.Text()[:8])
	j.room = make(chan struct{}, 1)
	err := j.s.own.Declare(ctx, resultVarOf(j.id), workspace.FIFO)
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
		if j.panicked != nil {
			defer panic(j.panicked)
		}
		// Without its variable, results that come late go nowhere, and workers drop what is left of the job.
		quick, cancelDelete := context.WithTimeout(context.WithoutCancel(ctx), endFor)
		_ = j.s.own.DeleteVar(quick, resultVarOf(j.id))
		cancelDelete()
	}
	if over := j.s.over(); over != nil && err != nil {
		return over
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // why, rather than that it ended
	}
	if err != nil && !errors.Is(err, errFinished) {
		return fmt.Errorf("sleigh: %s: %w", j.fn, err)
	}
	j.report()
	slices.SortFunc(j.failed, func(a, b *TaskError) int { return cmp.Compare(a.Index, b.Index) })
	return nil
}

// offer is a task on its way into a variable.
type offer struct {
	into string
	text []byte
}

// feed hands out the elements as there is room. What it returns ends the job, unless it is nil.
func (j *job) feed(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	offers := make(chan offer, windowTasks)
	var pulling sync.WaitGroup
	var pullErr error
	pulling.Go(func() {
		defer close(offers)
		pullErr = errSequence // unless it returns
		defer func() { j.panicked = recover() }()
		pullErr = j.pull(ctx, offers)
	})
	for first := range offers {
		// What has been pulled meanwhile goes along; nothing waits for a slow sequence.
		batches := map[string][]any{first.into: {first.text}}
		for range len(offers) {
			o := <-offers
			batches[o.into] = append(batches[o.into], o.text)
		}
		for into, tasks := range batches {
			if err := j.handOut(ctx, into, tasks); err != nil {
				cancel()
				pulling.Wait()
				return err
			}
		}
	}
	pulling.Wait()
	if pullErr != nil || ctx.Err() != nil {
		return pullErr
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ended = true
	if j.out == 0 {
		return errFinished
	}
	return nil
}

// pull makes tasks of the elements while there is room for them.
func (j *job) pull(ctx context.Context, offers chan<- offer) error {
	for into, elem := range j.elems {
		i := len(j.sizes)
		arg, err := json.Marshal(elem)
		var text []byte
		if err == nil {
			text, err = json.Marshal(task{Job: j.id, Func: j.fn, First: i, Elems: []json.RawMessage{arg}})
		}
		if err == nil && len(text) > workspace.MaxValue {
			err = fmt.Errorf("it has %d bytes, %d are allowed", len(text), workspace.MaxValue)
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			j.refuse(i, err)
			continue
		}
		if !j.enter(ctx, len(text)) {
			return nil
		}
		select {
		case offers <- offer{into: into, text: text}:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// enter waits for room for another task and takes it; false if ctx ends.
func (j *job) enter(ctx context.Context, size int) bool {
	for {
		j.mu.Lock()
		if ctx.Err() == nil && (j.out == 0 || j.out < j.window && j.outBytes+size <= j.windowBytes) {
			j.out++
			j.outBytes += size
			j.sizes = append(j.sizes, size)
			j.mu.Unlock()
			return true
		}
		j.mu.Unlock()
		select {
		case <-j.room:
		case <-ctx.Done():
			return false
		}
	}
}

// refuse gives an element that cannot be handed out its error.
func (j *job) refuse(i int, err error) {
	host, hostErr := os.Hostname()
	if hostErr != nil {
		host = "unknown"
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sizes = append(j.sizes, 0)
	j.done++
	j.failed = append(j.failed, &TaskError{
		Func: j.fn, Index: i, Worker: -1, Host: host, Message: "the element cannot be handed out: " + err.Error(),
	})
}

func (j *job) handOut(ctx context.Context, into string, tasks []any) error {
	for try := 1; ; try++ {
		err := j.s.own.StoreAll(ctx, into, tasks...)
		if _, unclear := errors.AsType[*redisx.UnknownError](err); !unclear || try == feedTries {
			return err
		}
		// Handed out twice does no harm: the second result is passed over.
		select {
		case <-time.After(feedPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// collect takes results until all are there.
func (j *job) collect(ctx context.Context) error {
	n := 100
	for {
		claim, err := j.s.own.Claim(ctx, resultVarOf(j.id), &workspace.ClaimOptions{Max: n, Lease: j.s.lease})
		if err != nil {
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
		if j.report() {
			return nil
		}
		if err := claim.Settle(ctx, outcomes...); err != nil && !errors.Is(err, workspace.ErrClaimLost) {
			return err
		}
	}
}

// report tells how many elements are done, and returns whether all are.
func (j *job) report() bool {
	j.mu.Lock()
	done, finished := j.done, j.ended && j.out == 0
	j.mu.Unlock()
	if j.onDone != nil && done > j.reported {
		j.onDone(done)
	}
	j.reported = done
	return finished
}

// take notes the results of one task.
func (j *job) take(text []byte) error {
	var r result
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("a result is not readable: %w", err)
	}
	failed := map[int]*TaskError{}
	for _, e := range r.Failed {
		failed[e.Index] = e
	}
	for k, value := range r.Values {
		i := r.First + k
		if !j.leave(i, failed[i]) {
			continue
		}
		if failed[i] != nil {
			value = nil
		}
		if err := j.put(i, value); err != nil {
			return fmt.Errorf("the result of element %d does not convert: %w", i, err)
		}
	}
	return nil
}

// leave counts an element as done; false if it is already.
func (j *job) leave(i int, failure *TaskError) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if i < 0 || i >= len(j.sizes) || j.sizes[i] == 0 {
		return false
	}
	j.out--
	j.outBytes -= j.sizes[i]
	j.sizes[i] = 0
	j.done++
	if failure != nil {
		j.failed = append(j.failed, failure)
	}
	select {
	case j.room <- struct{}{}:
	default:
	}
	return true
}

// total is the number of elements, once the job has run.
func (j *job) total() int { return len(j.sizes) }
