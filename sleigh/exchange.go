package sleigh

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/workspace"
)

const (
	newsTasks   = 2000 // told of at a time, but for those of one batch
	newsBytes   = 8 << 20
	confirmSoon = time.Millisecond       // what a message brought may be done before Redis is asked for more
	confirmLate = 300 * time.Millisecond // or is told that it came
)

// exchange tells Redis what came of claimed values, and claims the next ones for its slots by that. While one request is under way,
// what comes meanwhile waits for the next, which tells all in one step: it costs Redis little more than one. Where there is
// nothing for a slot, one waiter waits in Redis for all of them.
type exchange struct {
	own     *workspace.Workspace
	in      string // the variable that the values are claimed from
	from    string // that which more are claimed from, the same if there are slots
	lease   time.Duration
	sharers func() int
	ctx     context.Context  //nolint:containedctx // Of all requests: they go on after their callers.
	isOver  func(error) bool // whether there is nothing more to come after an error
	dropped func(job string) // is told of jobs that have ended
	log     *slog.Logger

	mu     sync.Mutex
	news   []*news
	slots  []*slot       // those that are free
	over   error         // why there is nothing more
	busy   bool          // somebody does what there is to do
	again  bool          // there is more to do when that one has done it
	due    bool          // and it is time for what could wait
	closed chan struct{} // not nil once it is to end; closed when it has
	timer  *time.Timer   // for what is due later

	// Of the one who is busy:
	waiter *workspace.Waiter // nil if none waits
	used   bool              // the claim that it was brought has been given to a slot
	one    bool              // the variable is to stay the one that it is
	born   string            // its incarnation then, once that is known
}

// slot is where one task after the other runs, or one batch.
type slot struct {
	n     int                   // tasks to claim at a time
	given chan *workspace.Claim // has room for one
	free  bool                  // guarded by exchange.mu
}

func newSlot() *slot { return &slot{n: 1, given: make(chan *workspace.Claim, 1)} }

// news is what a batch has to tell.
type news struct {
	claim string
	done  []outcome
	slot  *slot // that is free once it is told; nil if none is

	told chan struct{} // closed when err is known
	err  error
}

func (n *news) bytes() (sum int) {
	for _, o := range n.done {
		sum += len(o.result) + len(o.kept)
		for _, text := range o.instead {
			sum += len(text)
		}
	}
	return sum
}

// newExchange makes one that does nothing before start.
func newExchange(own *workspace.Workspace, in, from string, lease time.Duration, log *slog.Logger) *exchange {
	x := &exchange{
		own: own, in: in, from: from, lease: lease, ctx: context.Background(), log: log, sharers: func() int { return 1 }, busy: true,
	}
	x.timer = time.AfterFunc(time.Hour, func() { x.look(true) })
	x.timer.Stop() // until there is something to wait for
	return x
}

func (x *exchange) start() { x.rest() }

// close has the waiter leave, when a request that is under way has ended.
func (x *exchange) close() {
	x.mu.Lock()
	x.closed = make(chan struct{})
	idle := !x.busy
	x.busy = true
	x.mu.Unlock()
	if idle {
		x.rest()
	}
	<-x.closed
}

// enter reports whether the caller is to do what there is to do. Else another one does it.
func (x *exchange) enter(due bool) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.busy {
		x.again, x.due = true, x.due || due
		return false
	}
	x.busy = true
	return true
}

// look has done what there is to do, and blocks for that unless another one does it.
func (x *exchange) look(due bool) {
	if x.enter(due) {
		x.work(due)
	}
}

func (x *exchange) work(due bool) {
	runtime.Gosched() // tasks that take no time end first, and go with this request
	x.timer.Reset(x.goOn(due))
	x.rest()
}

// rest ends what enter began. What has come meanwhile is not for the same goroutine, which may be somebody's.
func (x *exchange) rest() {
	x.mu.Lock()
	again, due, closed := x.again, x.due, x.closed
	x.again, x.due = false, false
	x.busy = again || closed != nil
	if closed != nil {
		for _, n := range x.news {
			n.fail()
		}
		x.news = nil
	}
	x.mu.Unlock()
	switch {
	case closed != nil:
		x.timer.Stop()
		if x.one && x.waiter != nil {
			x.waiter.End() // it goes with the variable
		} else {
			x.drop(x.waiter, x.used)
		}
		close(closed)
	case again:
		go x.work(due)
	}
}

// wake is called when the waiter is.
func (x *exchange) wake() {
	if !x.enter(true) {
		return
	}
	if !x.takeBrought() {
		go x.work(true)
		return
	}
	x.mu.Lock()
	idle := len(x.news) == 0
	x.mu.Unlock()
	if !idle {
		go x.work(false)
		return
	}
	x.timer.Reset(x.confirmIn())
	x.rest()
}

// confirmIn is when Redis is to be told that the claim has come which a message brought.
func (x *exchange) confirmIn() time.Duration {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.slots) > 0 {
		return confirmSoon
	}
	return confirmLate
}

// tell tells Redis. It blocks until Redis has answered, or for some time.
func (x *exchange) tell(n *news) error {
	x.add(n)
	select {
	case <-n.told:
		return n.err
	default:
	}
	late := time.NewTimer(drainFor)
	defer late.Stop()
	select {
	case <-n.told:
		return n.err
	case <-late.C:
	}
	x.mu.Lock()
	i := slices.Index(x.news, n)
	if i >= 0 {
		x.news = slices.Delete(x.news, i, i+1)
	}
	x.mu.Unlock()
	if i >= 0 {
		return context.DeadlineExceeded
	}
	<-n.told
	return n.err
}

// add has Redis told. It blocks for a request, unless one is under way.
func (x *exchange) add(n *news) {
	n.told = make(chan struct{})
	x.mu.Lock()
	closed := x.closed != nil
	if !closed {
		x.news = append(x.news, n)
	}
	x.mu.Unlock()
	if closed {
		n.fail()
		return
	}
	x.look(false)
}

// fail is for news that nobody tells any more.
func (n *news) fail() {
	n.err = workspace.ErrClosed
	close(n.told)
}

// next waits for a claim for a slot. There is none any more if ctx or leaving has ended, or with an error.
func (x *exchange) next(ctx, leaving context.Context, s *slot) (*workspace.Claim, error) {
	frees := false
	x.mu.Lock()
	over, left := x.over, ctx.Err() != nil || leaving.Err() != nil
	if over == nil && !left && len(s.given) == 0 && !x.isComing(s) {
		x.free(s)
		frees = true
	}
	x.mu.Unlock()
	if over != nil {
		return nil, over
	}
	if frees {
		go x.look(false)
	}
	select {
	case c := <-s.given:
		return x.given(c)
	case <-ctx.Done():
	case <-leaving.Done():
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if !s.free && len(s.given) > 0 {
		return x.given(<-s.given) // it is given back where it runs
	}
	x.take(s)
	go x.look(false)
	return nil, nil
}

// isComing reports whether a slot is free with news that wait. x.mu is held.
func (x *exchange) isComing(s *slot) bool {
	return slices.ContainsFunc(x.news, func(n *news) bool { return n.slot == s })
}

func (x *exchange) given(c *workspace.Claim) (*workspace.Claim, error) {
	if c == nil {
		return nil, x.over
	}
	return c, nil
}

// free says that a slot is. x.mu is held, as with the next ones.
func (x *exchange) free(s *slot) {
	if !s.free {
		s.free = true
		x.slots = append(x.slots, s)
	}
}

func (x *exchange) take(s *slot) {
	s.free = false
	x.slots = slices.DeleteFunc(x.slots, func(other *slot) bool { return other == s })
}

// give gives a slot tasks if it is free still; a claim of nil says that there are no more.
func (x *exchange) give(s *slot, c *workspace.Claim) (ok bool) {
	if !s.free {
		return false
	}
	x.take(s)
	s.given <- c
	return true
}

// goOn does what there is to do, and says when it is due at the latest to look again.
func (x *exchange) goOn(due bool) time.Duration {
	if x.takeBrought() {
		due = false // what came of it may be known soon
	}
	v := x.gather()
	switch {
	case len(v.news) > 0, due && x.used, len(v.slots) > 0 && (due || x.waiter == nil):
	case x.used:
		return x.confirmIn()
	default:
		if len(v.slots) == 0 {
			x.drop(x.waiter, false)
			x.waiter = nil
		}
		return time.Hour
	}
	err := x.visit(v)
	if _, answered := errors.AsType[redis.Error](err); answered || errors.Is(err, workspace.ErrDamaged) {
		for _, n := range v.news { // it may be the fault of one, or none
			_, n.err = x.send(&errand{news: []*news{n}})
		}
	} else {
		for _, n := range v.news {
			n.err = err
		}
	}
	for _, n := range v.news {
		close(n.told)
	}
	switch {
	case err == nil && x.waiter != nil && x.waiter.Name() == "":
		return time.Second // it has to listen first
	case err == nil:
		return time.Hour
	case x.isOver(err):
		x.end(err)
		return time.Hour
	case len(v.news) == 0:
		x.log.Warn("waiting", "error", err, "for", retryPause)
	}
	return retryPause
}

// takeBrought gives the claim that a message has brought to a slot. Without a free one it goes back with the waiter.
func (x *exchange) takeBrought() bool {
	if x.waiter == nil || x.used {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.slots) == 0 {
		return false
	}
	c := x.waiter.Brought()
	if c == nil {
		return false
	}
	x.used = true
	x.give(x.slots[0], c)
	return true
}

// end says that there are no more tasks.
func (x *exchange) end(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over == nil {
		x.over = err
	}
	for len(x.slots) > 0 {
		x.give(x.slots[0], nil)
	}
}
