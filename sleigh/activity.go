package sleigh

import (
	"context"
	"encoding/json"
	"sync"
	"time"
)

// reportEvery is the least time between two reports of a worker.
const reportEvery = time.Second

// activity is what a worker does and has done.
type activity struct {
	changed chan struct{} // has a value when there is something new to report

	mu      sync.Mutex
	running map[*batch]bool
	since   time.Time // when it last began to work, or ceased to
	done    int       // elements
	failed  int
	took    time.Duration // by functions, or for those that were done
}

// report is what a worker tells of its activity.
type report struct {
	At     time.Time     `json:"at"` // by the worker's clock, as all times here
	State  State         `json:"state"`
	Since  time.Time     `json:"since"`
	Tasks  []Running     `json:"tasks,omitempty"`
	Done   int           `json:"done"`
	Failed int           `json:"failed"`
	Mean   time.Duration `json:"mean"`
}

// Running is an element that a worker runs.
type Running struct {
	Job   string    `json:"job"` // its id
	Func  string    `json:"func"`
	Index int       `json:"index"` // of the element; with EachWorker, the rank
	Since time.Time `json:"since"`
	// For is how long it has run. It does not depend on the clocks of machines; 0 if it is not known.
	For time.Duration `json:"for,omitzero"`
	// Progress is what the function has told by Progress; zero if nothing.
	Progress ProgressInfo `json:"progress,omitzero"`
}

func (a *activity) init() {
	a.changed, a.running, a.since = make(chan struct{}, 1), map[*batch]bool{}, time.Now()
}

func (a *activity) nudge() {
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

// begin notes that a task of the batch runs, until the returned function is called.
func (a *activity) begin(b *batch) (end func()) {
	began := time.Now()
	a.mu.Lock()
	if len(a.running) == 0 {
		a.since = began
	}
	a.running[b] = true
	a.mu.Unlock()
	a.nudge()
	return func() {
		a.mu.Lock()
		delete(a.running, b)
		a.took += time.Since(began)
		if len(a.running) == 0 {
			a.since = time.Now()
		}
		a.mu.Unlock()
		a.nudge()
	}
}

// count notes elements that are done.
func (a *activity) count(outcomes []outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, o := range outcomes {
		a.done += o.done
		a.failed += o.failed
	}
}

// batches are those of which a task runs.
func (a *activity) batches() []*batch {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []*batch
	for b := range a.running {
		all = append(all, b)
	}
	return all
}

func (w *Worker) report() report {
	r := report{State: Idle}
	for _, b := range w.activity.batches() {
		b.mu.Lock()
		e := b.running
		b.mu.Unlock()
		if e != nil {
			r.Tasks = append(r.Tasks, e.status())
		}
	}
	a := &w.activity
	a.mu.Lock()
	defer a.mu.Unlock()
	r.At, r.Since, r.Done, r.Failed = time.Now(), a.since, a.done, a.failed
	if a.done > 0 {
		r.Mean = a.took / time.Duration(a.done)
	}
	switch {
	case w.isLeaving():
		r.State = Leaving
	case len(r.Tasks) > 0:
		r.State = Working
	}
	return r
}

// status says which element of the task runs.
func (e *execution) status() Running {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := Running{Job: e.task.Job, Func: e.task.Func, Index: e.task.First + min(e.done, e.task.N-1), Since: e.began}
	if r.Since.IsZero() {
		r.Since = e.opened
	}
	return r
}

// reportAll reports what the worker does until ctx ends, at most so often, and learns by it who is in the team. That it leaves
// is told at once.
func (w *Worker) reportAll(ctx context.Context) {
	leaving := w.leaving.Done()
	for {
		select {
		case <-ctx.Done():
			return
		case <-leaving:
			leaving = nil
		case <-w.activity.changed:
			select {
			case <-ctx.Done():
				return
			case <-leaving:
				leaving = nil
			case <-time.After(reportEvery): // so that the report is of a moment, and not of the first one of many
			}
		}
		_, texts, err := w.own.Do(ctx, reportScript, []string{statusVarOf(w.rank), teamVar}, asJSON(w.report()))
		var there headcount
		switch {
		case err != nil:
			w.pause(ctx, err)
		case len(texts) > 0 && json.Unmarshal([]byte(texts[0]), &there) == nil:
			w.count.Store(int64(there.Count))
		}
	}
}
