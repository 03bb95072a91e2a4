package sleigh

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// tellEvery is how often a worker tells of the progress of its elements, at the most.
const tellEvery = 200 * time.Millisecond

func progressVarOf(rank int) string { return progressPrefix + strconv.Itoa(rank) }

const progressPrefix = "progress@"

// ProgressInfo is how far a function is with an element that it runs for.
type ProgressInfo struct {
	Worker int       `json:"worker"` // rank
	Job    string    `json:"job"`    // its id
	Index  int       `json:"index"`  // of the element, or with EachWorker the rank
	Done   int       `json:"done"`
	Total  int       `json:"total"` // 0 if that is not known
	At     time.Time `json:"at"`
}

// Progress tells how far the function that was given ctx is with its element: done of total, in units of its own; total is 0
// where it is not known. It may be called often, and never blocks: Redis is told at most every 200 ms. It does nothing
// outside of a function.
func Progress(ctx context.Context, done, total int) {
	if el := elementFrom(ctx); el != nil {
		w := el.e.w
		w.progress.tell(w, el, ProgressInfo{Worker: w.rank, Job: el.e.task.Job, Index: el.index, Done: done, Total: total, At: time.Now()})
	}
}

// progress is what the functions of a worker tell. It stands in Redis as the variable progress@R, and there until its
// elements have ended.
type progress struct {
	used atomic.Bool

	mu       sync.Mutex
	of       map[*element]ProgressInfo
	dirty    bool        // Redis does not know it as it is
	timer    *time.Timer // of the next time to store; nil if there is nothing to
	storing  bool
	stored   time.Time
	closed   bool
	declared bool // used by whoever stores
	running  sync.WaitGroup
	cancel   context.CancelFunc // of what is being stored
}

// progressNote is the value of progress@R.
type progressNote struct {
	Client   string         `json:"client"`
	Elements []ProgressInfo `json:"elements"`
}

func (p *progress) tell(w *Worker, el *element, info ProgressInfo) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of == nil {
		p.of = map[*element]ProgressInfo{}
	}
	p.used.Store(true)
	p.of[el] = info
	p.storeSoon(w)
}

// ended forgets an element.
func (p *progress) ended(w *Worker, el *element) {
	if !p.used.Load() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, told := p.of[el]; told {
		delete(p.of, el)
		p.storeSoon(w)
	}
}

// storeSoon stores what is told, but not too often. p.mu is held.
func (p *progress) storeSoon(w *Worker) {
	p.dirty = true
	if p.timer != nil || p.storing || p.closed {
		return
	}
	p.timer = time.AfterFunc(tellEvery-time.Since(p.stored), func() { p.store(w) })
}

func (p *progress) store(w *Worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer = nil; p.closed {
		return
	}
	note := progressNote{Client: w.own.Client(), Elements: slices.SortedFunc(maps.Values(p.of), func(a, b ProgressInfo) int {
		return cmp.Or(strings.Compare(a.Job, b.Job), cmp.Compare(a.Index, b.Index))
	})}
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	p.dirty, p.storing, p.cancel = false, true, cancel
	p.running.Add(1)
	defer p.running.Done()
	p.mu.Unlock()
	var err error
	if !p.declared {
		err = w.own.Declare(ctx, progressVarOf(w.rank), workspace.Single)
	}
	if err == nil {
		p.declared = true
		err = w.own.Store(ctx, progressVarOf(w.rank), note)
	}
	p.mu.Lock()
	p.storing, p.stored = false, time.Now()
	if isOver(err) {
		p.closed = true
	}
	if p.dirty || err != nil {
		p.storeSoon(w)
	}
}

func (p *progress) close() {
	p.mu.Lock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.storing {
		p.cancel()
	}
	p.mu.Unlock()
	p.running.Wait()
}

// progressOf is how far the elements are that run and tell of it, by rank. It takes two round trips.
func progressOf(ctx context.Context, s *Sleigh) ([]ProgressInfo, error) {
	variables, err := s.own.ListVars(ctx)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var all []ProgressInfo
	var failed error
	var asking sync.WaitGroup
	for _, v := range variables {
		rank, err := strconv.Atoi(strings.TrimPrefix(v.Name, progressPrefix))
		if err != nil || !strings.HasPrefix(v.Name, progressPrefix) {
			continue
		}
		asking.Go(func() {
			note, err := s.progressOf(ctx, rank)
			mu.Lock()
			defer mu.Unlock()
			all, failed = append(all, note...), cmp.Or(failed, err)
		})
	}
	asking.Wait()
	slices.SortStableFunc(all, func(a, b ProgressInfo) int { return cmp.Compare(a.Worker, b.Worker) })
	return all, failed
}

// progressOf is that of the elements of one worker. What one told that has died does not count.
func (s *Sleigh) progressOf(ctx context.Context, rank int) ([]ProgressInfo, error) {
	var info WorkerInfo
	var noteErr, infoErr error
	var note progressNote
	var asking sync.WaitGroup
	asking.Go(func() { _, noteErr = s.own.TryFind(ctx, progressVarOf(rank), &note) })
	asking.Go(func() { _, infoErr = s.own.TryFind(ctx, workerVarOf(rank), &info) })
	asking.Wait()
	if noteErr != nil || infoErr != nil || note.Client != info.Client {
		return nil, cmp.Or(noteErr, infoErr)
	}
	return note.Elements, nil
}
