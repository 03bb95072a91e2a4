package sleigh

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/netspaces/netspaces/workspace"
)

// Initialise is EachWorker for those workers too that join later, also in the place of one that has died: they run the
// function before their first task. What it returns there is dropped; an error is logged by the worker, which goes on. It
// blocks as EachWorker does.
func (f Func[A, R]) Initialise(ctx context.Context, s *Sleigh, arg A) ([]R, error) {
	j, results, err := f.eachWorker(ctx, s, arg)
	if err != nil {
		return nil, err
	}
	elems, errs := encodeAll([]A{arg})
	if err := errs[0]; err != nil {
		return nil, fmt.Errorf("sleigh: %s: its argument does not convert to JSON: %w", f.name, err)
	}
	// It is there before anybody is asked to run it: a worker that joins meanwhile finds one of the two, or both.
	if known, err := s.isInitialised(ctx, f.name, elems); known || err != nil {
		if err != nil {
			return nil, errors.Join(s.over(), err)
		}
		return results.finish(j, j.runAtOnce(ctx))
	}
	if err := s.own.Store(ctx, initVar, task{part: part{Job: j.id, N: 1}, Func: f.name, Elems: elems}); err != nil {
		return nil, errors.Join(s.over(), fmt.Errorf("sleigh: %s: %w", f.name, err))
	}
	return results.finish(j, j.runAtOnce(ctx))
}

// isInitialised reports whether workers that join run the function anyway, as another master of the team has told.
func (s *Sleigh) isInitialised(ctx context.Context, fn string, elems json.RawMessage) (bool, error) {
	if !s.lasts {
		return false, nil
	}
	for t, err := range workspace.NewVar[task](s.own, initVar).IFind().Try(ctx) {
		if err != nil || t.Func == fn && bytes.Equal(t.Elems, elems) {
			return err == nil, err
		}
	}
	return false, nil
}

// initialised is what a worker has run before its first task.
type initialised struct {
	mu    sync.Mutex
	byJob map[string]result
}

// initialise runs the functions that all workers are to run first.
func (w *Worker) initialise(ctx context.Context) {
	for text, err := range workspace.NewVar[json.RawMessage](w.own, initVar).IFind().Try(ctx) {
		if err != nil {
			if ctx.Err() == nil && !isOver(err) {
				w.log.Warn("worker does not know what to run first", "error", err)
			}
			return
		}
		var t task
		if err := json.Unmarshal(text, &t); err != nil || t.N != 1 {
			w.log.Error("what is to be run first is not readable", "error", err)
			continue
		}
		t.First, t.Chunk = w.rank, w.rank
		e := w.execute(ctx, &t)
		e.runAll()
		e.stop()
		o := e.outcome(0, false)
		var r result
		if err := json.Unmarshal(o.result, &r); err != nil { // ctx has ended
			return
		}
		for _, e := range r.Failed {
			w.log.Warn("what is to be run first has failed", "error", e)
		}
		w.inits.put(t.Job, r)
	}
}

func (m *initialised) put(job string, r result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byJob == nil {
		m.byJob = map[string]result{}
	}
	m.byJob[job] = r
}

// outcome is that of a task which the worker has run already.
func (m *initialised) outcome(t *task, index int) (o outcome, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, known := m.byJob[t.Job]
	if !known {
		return outcome{}, false
	}
	r.part = t.part
	return outcome{index: index, of: &t.part, job: t.Job, done: 1, failed: len(r.Failed), result: r.text()}, true
}
