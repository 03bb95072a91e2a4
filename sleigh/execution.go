package sleigh

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

const (
	maxMessage  = 16 << 10        // bytes of an error's text
	ignoreFor   = 5 * time.Second // a function may go on so long after its timeout
	cancelAfter = "its timeout of %v is over"
)

// execution is one task that a worker runs, element by element, in a goroutine of its own: neither a panic nor
// runtime.Goexit ends the worker, and a function that does not return is left to itself.
type execution struct {
	w    *Worker
	task *task
	ctx  context.Context
	stop context.CancelFunc // ends ctx

	mu       sync.Mutex
	turn     int       // of the goroutine that runs the elements; one that was left to itself has an earlier one
	done     int       // elements that were run
	told     int       // of these, what Redis has the results of
	limit    int       // elements that are left to this task
	began    time.Time // when the one that runs did
	running  bool
	shared   bool      // Redis has only the one that runs
	returned bool      // the elements from limit on are given back
	opened   time.Time // when the first element that Redis has not been told of began
	stuck    bool      // a function does not return
	failed   []*TaskError

	ended  chan struct{}                                       // a turn has ended
	encode func(from, to int) (json.RawMessage, map[int]error) // converts the results of elements that were run
}

func (w *Worker) execute(ctx context.Context, t *task) *execution {
	e := &execution{w: w, task: t, limit: t.N, opened: time.Now(), ended: make(chan struct{}, 1)}
	e.ctx, e.stop = context.WithCancel(ctx)
	return e
}

// runAll runs the function of the task.
func (e *execution) runAll() {
	if f := registered(e.task.Func); f != nil {
		f(e)
	} else {
		e.refuse("no function of this name is registered in the worker's program")
	}
}

// run calls f for the elements, one after the other. f calls end with what came of it.
func (e *execution) run(f func(ctx context.Context, turn, k int)) {
	for turn := 1; !e.isOver(turn); turn++ {
		go e.takeTurn(turn, f)
		e.wait()
	}
}

// isOver opens a turn, if there is anything left to do.
func (e *execution) isOver(turn int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.turn = turn
	return e.isEnough()
}

func (e *execution) isEnough() bool {
	return e.done == e.limit || e.stuck || e.ctx.Err() != nil
}

// takeTurn runs elements until one does not return as it should.
func (e *execution) takeTurn(turn int, f func(ctx context.Context, turn, k int)) {
	var k int
	ok, returned := false, false
	defer func() {
		if !returned {
			if p := recover(); p != nil {
				e.endBadly(turn, fmt.Sprint("panic: ", p), string(debug.Stack()))
			} else {
				e.endBadly(turn, "the function ended its goroutine (runtime.Goexit)", "")
			}
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.turn == turn {
			e.ended <- struct{}{}
		}
	}()
	for {
		if k, ok = e.begin(turn); !ok {
			break
		}
		e.runOne(turn, k, f)
	}
	returned = true
}

func (e *execution) runOne(turn, k int, f func(ctx context.Context, turn, k int)) {
	el := &element{Context: e.ctx, e: e, index: e.task.First + k}
	e.w.begun(el)
	defer e.w.ended(el)
	ctx := context.Context(el)
	if e.task.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, e.task.Timeout, fmt.Errorf(cancelAfter, e.task.Timeout))
		defer cancel()
	}
	f(ctx, turn, k)
}

func (e *execution) begin(turn int) (k int, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.turn != turn || e.isEnough() {
		return 0, false
	}
	e.running, e.began = true, time.Now()
	return e.done, true
}

// end takes what came of the element that runs; keep puts its result down.
func (e *execution) end(turn int, err error, keep func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.turn != turn {
		return
	}
	switch {
	case err != nil && e.ctx.Err() == nil:
		message := err.Error()
		if message == "" {
			message = "an error without text"
		}
		e.note(e.done, message, "")
	case err != nil: // its context has ended: it is not its fault
		e.running = false
		return
	default:
		keep()
	}
	e.running = false
	e.done++
}

func (e *execution) endBadly(turn int, message, stack string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.turn == turn && e.running {
		e.note(e.done, message, stack)
		e.running = false
		e.done++
	}
}

// note notes the failure of element k of the task. e.mu is held.
func (e *execution) note(k int, message, stack string) {
	e.failed = append(e.failed, e.w.failure(e.task, e.task.First+k, message, stack))
}

// wait returns when a turn has ended, or when the function is to be left to itself.
func (e *execution) wait() {
	if e.task.Timeout == 0 {
		<-e.ended
		return
	}
	look := time.NewTicker(max(e.task.Timeout/4, time.Millisecond))
	defer look.Stop()
	for {
		select {
		case <-e.ended:
			return
		case <-look.C:
			if e.leave() {
				return
			}
		}
	}
}

// leave leaves a function to itself that goes on long after its timeout.
func (e *execution) leave() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.running || time.Since(e.began) < e.task.Timeout+ignoreFor {
		return false
	}
	e.note(e.done, fmt.Sprintf(cancelAfter+", and it goes on", e.task.Timeout), "")
	e.turn++
	e.done++
	e.stuck, e.running = true, false
	return true
}

// outcome is what is to be told of the task: results, and a task of the elements that are left. While it runs, the one that
// runs stays with the worker. Nobody else may call it before told.
func (e *execution) outcome(index int, runs bool) outcome {
	e.mu.Lock()
	defer e.mu.Unlock()
	o := outcome{index: index, of: e.inRedis(), job: e.task.Job}
	first := e.done // of the elements that are left
	if runs && e.done < e.limit {
		o.kept = e.task.piece(e.done, e.done+1, true)
		e.limit = e.done + 1
		first++
	}
	last := e.task.N
	if e.returned {
		last = e.limit
	}
	if first < last {
		o.instead = [][]byte{e.task.piece(first, last, e.task.Careful)}
	}
	if o.done = e.done - e.told; o.done == 0 {
		return o
	}
	r := result{
		part: e.task.part, Worker: e.w.rank, Host: e.w.host, Took: time.Since(e.opened), Printed: e.w.printed(),
	}
	r.First, r.N = r.First+e.told, o.done
	var errs map[int]error
	r.Values, errs = e.encode(e.told, e.done)
	for k, err := range errs {
		e.note(e.told+k, fmt.Sprintf("its result does not convert to JSON: %v", err), "")
	}
	if len(r.Values) > maxText-aroundValues {
		r.Values = e.leaveOut(r.Values)
	}
	r.Failed = e.failed
	if e.task.Lasts {
		r.Elems = e.task.elements(r.Failed)
	}
	o.failed, o.result = len(e.failed), r.text()
	return o
}

// inRedis is the part that Redis has of the task, as far as was told; nil for one element, which stays what it is. e.mu is held.
func (e *execution) inRedis() *part {
	if e.task.N == 1 {
		return nil
	}
	p := e.task.part
	if e.shared {
		p.First, p.N = p.First+e.told, 1
	}
	return &p
}

// toldOf notes that Redis knows an outcome.
func (e *execution) toldOf(o outcome) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.told += o.done
	e.opened = time.Now()
	e.failed = e.failed[o.failed:]
	e.shared = true
	e.returned = e.returned || len(o.instead) > 0
}

// leaveOut leaves out results until the others may be stored together. e.mu is held.
func (e *execution) leaveOut(values json.RawMessage) json.RawMessage {
	texts, err := split(values)
	if err != nil {
		return values
	}
	most := maxText - aroundValues
	for size, k := len(values), 0; size > most && k < len(texts); k++ {
		if len(texts[k]) > most/len(texts) {
			e.note(e.told+k, fmt.Sprintf("its result has %d bytes, %d are allowed", len(texts[k]), most), "")
			size -= len(texts[k])
			texts[k] = json.RawMessage("null")
		}
	}
	return joinTexts(texts)
}

// refuse has all elements fail.
func (e *execution) refuse(message string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	texts := make([]json.RawMessage, e.task.N)
	for k := range texts {
		texts[k] = json.RawMessage("null")
		e.note(k, message, "")
	}
	e.done = e.task.N
	e.encode = func(from, to int) (json.RawMessage, map[int]error) { return joinTexts(texts[from:to]), nil }
}

func (w *Worker) failure(t *task, index int, message, stack string) *TaskError {
	return &TaskError{
		Func: t.Func, Index: index, Worker: w.rank, Host: w.host, Attempt: t.Attempt + 1, Deaths: t.Deaths,
		Message: message[:min(len(message), maxMessage)], Stack: stack[:min(len(stack), maxMessage)],
	}
}
