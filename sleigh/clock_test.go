package sleigh_test

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

const (
	ms = time.Millisecond
	s  = time.Second
	// told is how long it takes at the most until one who waits hears of a lease that has ended: somebody beats each 2 s.
	told = 2 * s
)

// bubble is a world with a clock of its own: it stands still while anybody has something to do, and then goes on to the
// next moment at which something happens. A round trip takes no time, so that the times in these tests are exact.
type bubble struct {
	tester
	ctx    context.Context
	redis  *miniredis.Miniredis
	sleigh *sleigh.Sleigh
	master *machine
	stage  *stage
	began  time.Time
}

// tester is a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Cleanup(f func())
}

// inBubble runs a test with a server and a master of its own, whose team has so many ranks, and no worker yet.
func inBubble(t *testing.T, ranks int, test func(b *bubble)) {
	t.Helper()
	t.Parallel()
	name := path.Base(t.Name())
	synctest.Test(t, func(t *testing.T) { test(newBubble(t, name, ranks)) })
}

func newBubble(t tester, name string, ranks int) *bubble {
	b := &bubble{tester: t, ctx: context.Background(), stage: newStage(), began: time.Now()}
	var err error
	b.redis, err = newVirtualServer()
	b.must(err)
	t.Cleanup(b.redis.Close)
	rdb, machine := b.client()
	b.master = machine
	b.sleigh, err = sleigh.Start(b.ctx, rdb, &sleigh.Options{Name: name, Launch: sleigh.Nobody(ranks)})
	b.must(err)
	stages.Store(name, b.stage)
	t.Cleanup(func() {
		stages.Delete(name)
		b.must(b.sleigh.Stop(b.ctx))
	})
	return b
}

func (b *bubble) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// now is the time since the test began.
func (b *bubble) now() time.Duration { return time.Since(b.began) }

// until lets time go by up to a moment, and all happen that happens in it.
func (b *bubble) until(at time.Duration) {
	b.Helper()
	if at < b.now() {
		b.Fatalf("it is %v, later than %v", b.now(), at)
	}
	time.Sleep(at - b.now())
	synctest.Wait()
}

// client opens a client on a machine of its own.
func (b *bubble) client() (*redisx.Client, *machine) {
	b.Helper()
	return b.clientOf("redis://bubble")
}

func (b *bubble) clientOf(url string) (*redisx.Client, *machine) {
	b.Helper()
	m := newMachine(b.redis)
	rdb, err := redisx.Open(b.ctx, url, &redisx.Options{Dial: m.dial})
	b.must(err)
	b.Cleanup(func() {
		m.thaw()
		if err := rdb.Close(); err != nil {
			b.Error(err)
		}
	})
	return rdb, m
}

// worker is one on a machine of its own.
type worker struct {
	*sleigh.Enlisted
	b    *bubble
	rdb  *redisx.Client
	on   *machine
	stop context.CancelFunc
	gone chan struct{} // closed when it has left
}

// worker has a worker of a rank join.
func (b *bubble) worker(rank int) *worker {
	b.Helper()
	w := &worker{b: b, gone: make(chan struct{})}
	w.rdb, w.on = b.client()
	var err error
	w.Enlisted, err = sleigh.Enlist(b.ctx, w.rdb, b.sleigh, rank)
	b.must(err)
	var ctx context.Context
	ctx, w.stop = context.WithCancel(b.ctx)
	go func() {
		defer close(w.gone)
		w.Serve(ctx)
	}()
	b.Cleanup(func() {
		frozen, dead := w.on.thaw(), w.on.revive()
		if frozen || dead { // it has nothing on its way any more when it stops
			time.Sleep(settled)
		}
		b.stage.close()
		w.stop()
		<-w.gone
	})
	synctest.Wait()
	return w
}

// die is a kill -9, as others see it: nothing more comes from the worker.
func (w *worker) die() {
	w.on.die()
	synctest.Wait()
}

// revive ends die, as if the worker had been suspended, or its cable out: it goes on.
func (w *worker) revive() {
	w.on.thaw()
	w.on.revive()
	time.Sleep(settled)
	synctest.Wait()
}

// settled is how long a worker may try to reach Redis, and then has given up.
const settled = 12 * s

// bury is what a launcher does for a worker that it has seen die.
func (w *worker) bury(death *sleigh.Death) {
	w.b.Helper()
	w.b.must(w.Bury(w.b.ctx, w.b.sleigh, death))
	synctest.Wait()
}

// hasLeft checks that the worker has left by itself.
func (w *worker) hasLeft(want bool) {
	w.b.Helper()
	synctest.Wait()
	select {
	case <-w.gone:
		if !want {
			w.b.Error("the worker has left")
		}
	default:
		if want {
			w.b.Error("the worker has not left")
		}
	}
}

// stage is where functions are held by a test, which tells them how to end.
type stage struct {
	mu     sync.Mutex
	runs   []*run
	closed chan struct{} // when the test is over
	once   sync.Once
}

// run is a function that was called for an element.
type run struct {
	index, rank int
	began       time.Time
	ctx         context.Context
	end         chan error // says how it is to end

	mu    sync.Mutex
	told  bool // how to end
	ended bool
}

// tell says how it is to end.
func (r *run) tell(err error) {
	r.mu.Lock()
	r.told = true
	r.mu.Unlock()
	r.end <- err
}

func (r *run) wasTold() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told
}

func (r *run) hasEnded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

func newStage() *stage { return &stage{closed: make(chan struct{})} }

func (st *stage) close() { st.once.Do(func() { close(st.closed) }) }

var stages sync.Map // by the sleigh's name

// errAlone is that of a function whose test has ended.
var errAlone = errors.New("there is no test that holds it")

// hold is a run of a function; it returns whether its context ended before the test told it how to end.
func hold(ctx context.Context) (r *run, st *stage, err error) {
	w := sleigh.WorkerFrom(ctx)
	found, ok := stages.Load(path.Dir(w.User().Name()))
	if !ok {
		return nil, nil, errAlone
	}
	st = found.(*stage)
	r = &run{index: sleigh.Index(ctx), rank: w.Rank(), began: time.Now(), ctx: ctx, end: make(chan error, 1)}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.runs = append(st.runs, r)
	return r, st, nil
}

// played is what a function that was held returns.
type played struct{ Index, Rank int }

// held returns when the test lets it, or when its context ends.
var held = sleigh.Register("held", func(ctx context.Context, x int) (played, error) {
	r, _, err := hold(ctx)
	if err != nil {
		return played{}, err
	}
	defer r.note()
	select {
	case err = <-r.end:
		return played{r.index, r.rank}, err
	case <-ctx.Done():
		return played{}, context.Cause(ctx)
	}
})

// heldDeaf is held without an ear for the end of its context.
var heldDeaf = sleigh.Register("heldDeaf", func(ctx context.Context, x int) (played, error) {
	r, st, err := hold(ctx)
	if err != nil {
		return played{}, err
	}
	defer r.note()
	select {
	case err = <-r.end:
	case <-st.closed:
	}
	return played{r.index, r.rank}, err
})

// note notes that it has ended.
func (r *run) note() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
}

// all are the runs so far, in the order in which they began.
func (st *stage) all() []*run {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Clone(st.runs)
}

// run is a run that has begun, as the number n from 0.
func (b *bubble) run(n int) *run {
	b.Helper()
	synctest.Wait()
	all := b.stage.all()
	if n >= len(all) {
		b.Fatalf("at %v only %d runs have begun", b.now(), len(all))
	}
	return all[n]
}

// began are the times at which runs began, since the test did.
func (b *bubble) begins() (times []time.Duration) {
	synctest.Wait()
	for _, r := range b.stage.all() {
		times = append(times, r.began.Sub(b.began))
	}
	return times
}

func (b *bubble) wantTimes(what string, got []time.Duration, want ...time.Duration) {
	b.Helper()
	if !slices.Equal(got, want) {
		b.Errorf("%s at %v, want %v", what, got, want)
	}
}

// wantBetween checks that something was not before one moment, and not after another.
func (b *bubble) wantBetween(what string, got, from, to time.Duration) {
	b.Helper()
	if got < from || got > to {
		b.Errorf("%s at %v, want it from %v to %v", what, got, from, to)
	}
}

// call is a job that runs in a goroutine of its own.
type call struct {
	b       *bubble
	cancel  context.CancelFunc
	done    chan struct{}
	at      time.Duration // when it ended
	results []played
	err     error
}

// each begins EachElem for n elements, without copies of those that take long.
func (b *bubble) each(f sleigh.Func[int, played], n int, opts *sleigh.JobOptions) *call {
	o := &sleigh.JobOptions{}
	if opts != nil {
		o = opts
	}
	o.NoCopies = true
	return b.begin(func(ctx context.Context) ([]played, error) { return f.EachElem(ctx, b.sleigh, upTo(n), o) })
}

func (b *bubble) begin(f func(ctx context.Context) ([]played, error)) *call {
	ctx, cancel := context.WithCancel(b.ctx)
	c := &call{b: b, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.results, c.err = f(ctx)
		c.at = b.now()
	}()
	b.Cleanup(func() {
		cancel()
		<-c.done
	})
	synctest.Wait()
	return c
}

// waits checks that the job has not ended.
func (c *call) waits() {
	c.b.Helper()
	synctest.Wait()
	select {
	case <-c.done:
		c.b.Fatalf("it has ended at %v with %v, %v", c.at, c.results, c.err)
	default:
	}
}

// ended checks that the job has ended, and when.
func (c *call) ended(at time.Duration) {
	c.b.Helper()
	synctest.Wait()
	select {
	case <-c.done:
	default:
		c.b.Fatalf("at %v it still runs", c.b.now())
	}
	if c.at != at {
		c.b.Errorf("it ended at %v, want %v", c.at, at)
	}
}

// gives checks the results of a job, and when they were there.
func (c *call) gives(at time.Duration, want ...played) {
	c.b.Helper()
	c.ended(at)
	c.b.must(c.err)
	if !slices.Equal(c.results, want) {
		c.b.Errorf("it gave %v, want %v", c.results, want)
	}
}

// fails checks that one element failed, and when that was told.
func (c *call) fails(at time.Duration) *sleigh.TaskError {
	c.b.Helper()
	c.ended(at)
	failed, ok := errors.AsType[sleigh.TaskErrors](c.err)
	if !ok || len(failed) != 1 {
		c.b.Fatalf("it ended with %v, want one failure", c.err)
	}
	return failed[0]
}

func (r *run) String() string { return fmt.Sprintf("element %d on worker %d", r.index, r.rank) }
