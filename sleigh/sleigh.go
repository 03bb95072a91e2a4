package sleigh

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// Sleigh is a team of workers and its master. It may be used by many goroutines at a time.
type Sleigh struct {
	rdb     *redisx.Client
	own     *workspace.Workspace // tasks, results, workers
	user    *workspace.Workspace
	lasts   bool  // the team stays when this master leaves
	visits  bool  // it is no master: see Visit
	told    terms // what a visitor found that workers are told
	workers int   // to be there at least
	slots   int   // of each worker that is launched
	lease   time.Duration
	drain   time.Duration
	log     *slog.Logger
	places  *places // of the workers that this process keeps
	hosts   hosts
	level   slog.Level
	output  *listener
	ends    ends

	exports atomic.Int64 // when Export or Unexport was called last, in ns

	mu       sync.Mutex
	jobs     map[*job]bool // those under way; whether they are exclusive
	ids      recent        // of jobs of this master
	there    headcount
	refusals []Refusal
	without  map[int]bool // ranks that are to be there no more: see DrainWorker

	ctx      context.Context // ends when the sleigh stops or fails, with the cause
	cancel   context.CancelCauseFunc
	running  sync.WaitGroup // goroutines that end with ctx, or by giveUp
	giveUp   func()         // has the ranks of workers renewed no more
	team     team
	launches *launches // of a launcher that tries again; else nil
	stopped  atomic.Bool
	stop     sync.Once
	stopErr  error
}

// Options are those of Start and Join.
type Options struct {
	// Name is the name of the sleigh. Defaults to a new one. Join takes no notice of it.
	Name string
	// Launch says how to get workers. Defaults to Local with the number of cores, for Join to none.
	Launch Launcher
	// Slots is how many tasks a worker runs at a time. One that is started by hand has its own number. Defaults to 1.
	Slots int
	// Drain is how long a worker that is told to leave may go on with what it runs. Defaults to 25 s.
	Drain time.Duration
	// SameBuild refuses workers of another build of the program. Defaults to false: it is enough that they have registered
	// the functions that the master had when it called Main.
	SameBuild bool
	// Lease is how long a worker may be silent before its tasks go to others. Defaults to 10 s.
	Lease time.Duration
	// Logger is told of workers that died and the like. Defaults to none.
	Logger *slog.Logger
	// Output is called with what worker processes print and what workers log, line by line: in order for each worker and
	// stream, and one call at a time, by a goroutine of the sleigh. It should neither wait for a job nor call Stop. A line comes
	// about 100 ms after it was printed; what a function wrote to os.Stdout or logged comes before EachElem returns its result,
	// unless Redis fails or Output is behind by some seconds. If it is slow, the oldest lines are dropped when there are some MiB
	// of them, and it is told how many. A line has 16 KiB at most, longer ones are cut.
	//
	// What workers write to their standard error is read by who launched them, so that it comes also if they die; which
	// element it was for is not known. What workers in this process print stays as it is; only what Log takes comes here.
	//
	// Defaults to the master's stderr, each line after "worker 3 (host): ".
	Output func(Line)
	// LogLevel is the least level of records that workers send, of Log and of slog in a worker process. Defaults to Info.
	LogLevel slog.Level
}

// Launcher is a way of getting workers: Local, SSH, Command, Manual or InProcess.
type Launcher interface {
	// size is the number of workers.
	size() int
	// launch starts them; they join by themselves.
	launch(s *Sleigh) (team, error)
}

// team is the workers that a Launcher started.
type team interface {
	// end waits until all have ended, after they were told to stop; when ctx ends, it ends them itself.
	end(ctx context.Context)
}

const (
	drainFor = 10 * time.Second // how long Stop leaves functions that ignore the end of their context
	minLease = 100 * time.Millisecond
)

// Start makes a sleigh and launches its workers. It returns without waiting for them: tasks run as soon as one has joined.
// Nil options are the defaults. It returns ErrTaken if there is a sleigh of that name, also one that lasts (see Join), or
// another workspace.
func Start(ctx context.Context, rdb *redisx.Client, opts *Options) (*Sleigh, error) {
	o, err := opts.resolve()
	if err != nil {
		return nil, err
	}
	if o.Launch == nil {
		o.Launch = Local(runtime.GOMAXPROCS(0))
	}
	if o.Launch.size() < 1 {
		return nil, fmt.Errorf("sleigh: a team of %d workers: at least 1 is needed", o.Launch.size())
	}
	if o.Name == "" {
		o.Name = "sleigh-" + strings.ToLower(rand.Text()[:10])
	}
	s := newSleigh(rdb, o)
	s.own, err = workspace.Open(ctx, rdb, o.Name, &workspace.Options{New: true}) // otherwise it might be a team that is joined just now
	if errors.Is(err, workspace.ErrExists) {
		err = takenBy(ctx, rdb, o.Name)
	}
	if err != nil {
		return nil, err
	}
	if !s.own.Mine() { // it is the default workspace
		return nil, errors.Join(fmt.Errorf("sleigh: %w: %q", ErrTaken, o.Name), s.own.Close())
	}
	if s.user, err = workspace.Open(ctx, rdb, o.Name+"/user", nil); err != nil {
		return nil, errors.Join(err, s.own.Close())
	}
	s.there = headcount{Count: s.workers}
	err = s.begin(o, func() error {
		// Now that those launched have their ranks, others may come.
		return s.tellTerms(ctx, o.SameBuild)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// resolve fills in the defaults.
func (opts *Options) resolve() (Options, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if os.Getenv(workerEnv) != "" {
		return o, errors.New("sleigh: Start in a worker process: call sleigh.Main() first thing in main")
	}
	if o.Lease == 0 {
		o.Lease = 10 * time.Second
	}
	if o.Slots == 0 {
		o.Slots = 1
	}
	if o.Drain == 0 {
		o.Drain = 25 * time.Second
	}
	if o.Drain < 0 {
		return o, fmt.Errorf("sleigh: Drain: %w", errNegative)
	}
	if o.Slots < 1 {
		return o, fmt.Errorf("sleigh: workers of %d slots: at least 1 is needed", o.Slots)
	}
	if o.Lease < minLease {
		return o, fmt.Errorf("sleigh: a lease of %v is too short: at least %v", o.Lease, minLease)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

func newSleigh(rdb *redisx.Client, o Options) *Sleigh {
	s := &Sleigh{
		rdb: rdb, slots: o.Slots, lease: o.Lease, drain: o.Drain, log: o.Logger, level: o.LogLevel, jobs: map[*job]bool{},
	}
	if o.Launch != nil {
		s.workers = o.Launch.size()
	}
	return s
}

// begin launches the workers and then does what is to be done once they have their ranks.
func (s *Sleigh) begin(o Options, launched func() error) error {
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	least := s.workers
	if s.lasts {
		least = 0
	}
	s.places = newPlaces(s.own, s.lease, s.slots, least, s.log)
	s.output = s.listen(o.Output)
	s.team = volunteers{}
	var err error
	if o.Launch != nil {
		s.team, err = o.Launch.launch(s)
	}
	if err == nil {
		err = launched()
	}
	if err != nil {
		s.cancel(err)
		if s.team != nil {
			s.team.end(ended())
		}
		s.output.end()
		return errors.Join(err, s.user.Close(), s.own.Close())
	}
	holding, giveUp := context.WithCancel(context.Background())
	s.giveUp = giveUp
	s.running.Go(func() { s.places.hold(holding) }) // workers have their ranks until they have left, which is later
	for _, f := range []func(ctx context.Context){s.followTeam, s.noteRefusals, s.lookAfterTeam} {
		s.running.Go(func() { f(s.ctx) })
	}
	if s.lasts {
		s.running.Go(func() { keepLooking(s.ctx, s.own, s.lease, s.log) })
	}
	return nil
}

// ended is a context that leaves no time.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// Name returns the name of the sleigh, which is that of its own workspace.
func (s *Sleigh) Name() string { return s.own.Name() }

// Workers returns the number of ranks: of workers that are there or are to be. Those that Options.Launch
// asks for count from the beginning, and those that come in addition while they are there.
func (s *Sleigh) Workers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.there.Count
}

// User returns the workspace that master and workers share.
func (s *Sleigh) User() *workspace.Workspace { return s.user }

// Stop ends a sleigh that Start made: calls under way return ErrStopped, the contexts of running functions end, the workers
// leave, and both workspaces are deleted. It waits for functions that ignore the end of their context, for 10 s and no longer
// than ctx; then those processes that Local, SSH and Command launched are killed, and others left alone. It blocks until all
// that is done, and for some seconds more where Redis does not answer. A second call waits for the first and returns the
// same.
//
// Of a team that was joined only this master and the workers that it launched leave: see Join. What these run may end in that
// time, and then is given back to others, for which they have 5 s more before they are killed. A visitor leaves at once.
func (s *Sleigh) Stop(ctx context.Context) error {
	s.stop.Do(func() {
		s.stopped.Store(true)
		s.cancel(ErrStopped)
		s.ends.await(ctx)
		if s.visits {
			s.stopErr = errors.Join(s.user.Close(), s.own.Close())
			return
		}
		drain, cancel := context.WithTimeout(ctx, drainFor)
		defer cancel()
		if s.lasts {
			s.awaitJobs(drain)
			s.team.end(drain)
		} else {
			s.disband(drain)
		}
		s.giveUp()
		s.running.Wait()
		s.output.end()
		s.stopErr = errors.Join(s.user.Close(), s.own.Close())
	})
	return s.stopErr
}

// awaitJobs waits until Redis knows what was used of the results of jobs.
func (s *Sleigh) awaitJobs(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*endFor)
	defer cancel()
	for ctx.Err() == nil {
		s.mu.Lock()
		n := len(s.jobs)
		s.mu.Unlock()
		if n == 0 {
			return
		}
		pause(ctx, noteEvery/10)
	}
}

// disband ends the workers, those too that others have launched.
func (s *Sleigh) disband(ctx context.Context) {
	// Where this fails, the workspace is gone or Redis away: end does without.
	_ = s.own.Store(ctx, stopVar, s.own.Client())
	s.team.end(ctx)
	s.awaitOthers(ctx)
}

// enter lets a job begin.
func (s *Sleigh) enter(j *job) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, exclusive := range s.jobs {
		if exclusive || j.o.Exclusive {
			return ErrOccupied
		}
	}
	for other := range s.jobs {
		if other.lasting != nil && j.lasting != nil && other.o.Name == j.o.Name {
			return j.of(&HeldError{Job: j.o.Name, Master: s.asMaster()})
		}
	}
	s.jobs[j] = j.o.Exclusive
	s.ids.add(j.id)
	return nil
}

// jobsByID are this master's jobs. One that is about to be taken over from another master may have no id of Redis yet.
func (s *Sleigh) jobsByID() map[string]*job {
	s.mu.Lock()
	defer s.mu.Unlock()
	jobs := make(map[string]*job, len(s.jobs))
	for j := range s.jobs {
		jobs[j.id] = j
	}
	return jobs
}

// knows reports whether a job is one of this master's, or was.
func (s *Sleigh) knows(id string) bool { return s.ids.has(id) }

func (s *Sleigh) leave(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.jobs, j)
}

// isAlone reports whether there is one job at the most.
func (s *Sleigh) isAlone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.jobs) < 2
}

// fail ends all calls with an error that nothing here can mend.
func (s *Sleigh) fail(err error) { s.cancel(err) }

// over says why there is nothing more to do, if so.
func (s *Sleigh) over() error {
	if s.stopped.Load() {
		return ErrStopped
	}
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	return nil
}
