package sleigh

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
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

// exchange tells Redis what came of a worker's tasks, and gets the next ones for its slots by that. While one request is under way,
// what comes meanwhile waits for the next, which tells all in one step: it costs Redis little more than one. Where there is
// nothing for a slot, one waiter waits in Redis for all of them.
type exchange struct {
	w    *Worker
	in   string        // the variable that the tasks are claimed from
	kick chan struct{} // has a value when there is something to do
	stop chan struct{} // closed when nobody uses it any more
	gone chan struct{} // closed when it has ended

	mu    sync.Mutex
	news  []*news
	slots []*slot // those that are free
	over  error   // why there are no more tasks

	// Of the goroutine that asks:
	waiter *workspace.Waiter // nil if none waits
	used   bool              // the claim that it was brought has been given to a slot
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

func newExchange(w *Worker, variable string) *exchange {
	return &exchange{w: w, in: variable, kick: make(chan struct{}, 1), stop: make(chan struct{}), gone: make(chan struct{})}
}

func (x *exchange) nudge() {
	select {
	case x.kick <- struct{}{}:
	default:
	}
}

// tell tells Redis. It blocks until Redis has answered, or for some time.
func (x *exchange) tell(n *news) error {
	n.told = make(chan struct{})
	x.mu.Lock()
	x.news = append(x.news, n)
	x.mu.Unlock()
	x.nudge()
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

// next waits for tasks for a slot. There are none any more if ctx has ended, the worker is to leave, or with an error.
func (x *exchange) next(ctx context.Context, s *slot) (*batch, error) {
	x.mu.Lock()
	over := x.over
	if over == nil && len(s.given) == 0 {
		x.free(s)
		x.nudge()
	}
	x.mu.Unlock()
	if over != nil {
		return nil, over
	}
	select {
	case c := <-s.given:
		return x.batchOf(c)
	case <-ctx.Done():
	case <-x.w.leaving.Done():
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if !s.free {
		return x.batchOf(<-s.given) // it is given back where it runs
	}
	x.take(s)
	x.nudge()
	return nil, nil
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

func (x *exchange) batchOf(c *workspace.Claim) (*batch, error) {
	if c == nil {
		return nil, x.over
	}
	return &batch{w: x.w, claim: c, exchange: x, telling: newBaton(), lease: x.w.lease, end: len(c.Values), settled: time.Now()}, nil
}

// run asks until it is stopped.
func (x *exchange) run() {
	defer close(x.gone)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		var woken <-chan struct{}
		if x.waiter != nil {
			woken = x.waiter.Woken()
		}
		due := true
		select {
		case <-x.kick:
			due = false
		case <-woken:
		case <-timer.C:
		case <-x.stop:
			x.drop(x.waiter, x.used)
			return
		}
		timer.Reset(x.goOn(due))
	}
}

func (x *exchange) close() {
	close(x.stop)
	<-x.gone
}

// goOn does what there is to do, and says when it is due at the latest to look again.
func (x *exchange) goOn(due bool) time.Duration {
	x.takeBrought()
	v := x.gather()
	switch {
	case len(v.news) > 0, due && x.used, len(v.slots) > 0 && (due || x.waiter == nil):
	case x.used && len(v.slots) > 0:
		return confirmSoon
	case x.used:
		return confirmLate
	default:
		if len(v.slots) == 0 {
			x.drop(x.waiter, false)
			x.waiter = nil
		}
		return time.Hour
	}
	err := x.visit(v)
	if _, answered := errors.AsType[redis.Error](err); answered {
		for _, n := range v.news { // it may be the fault of one, or none
			_, n.err = x.send(&visit{news: []*news{n}})
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
	case isOver(err):
		x.end(err)
		return time.Hour
	case len(v.news) == 0:
		x.w.log.Warn("worker waits", "error", err, "for", retryPause)
	}
	return retryPause
}

// takeBrought gives the claim that a message has brought to a slot. Without a free one it goes back with the waiter.
func (x *exchange) takeBrought() {
	if x.waiter == nil || x.used {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.slots) == 0 {
		return
	}
	if c := x.waiter.Brought(); c != nil {
		x.used = true
		x.give(x.slots[0], c)
	}
}

// visit is one visit to Redis.
type visit struct {
	news   []*news
	slots  []*slot
	leaves *workspace.Waiter // nil if none waits
	used   bool              // the claim that it was brought has been given to a slot
	waits  *workspace.Waiter // for those slots that stay free; nil if there are none
}

// gather takes what is to be told next, and the slots that are free by then.
func (x *exchange) gather() *visit {
	x.mu.Lock()
	defer x.mu.Unlock()
	n, tasks, bytes := 0, 0, 0
	for ; n < len(x.news); n++ {
		tasks, bytes = tasks+len(x.news[n].done), bytes+x.news[n].bytes()
		if n > 0 && (tasks > newsTasks || bytes > newsBytes) {
			x.nudge()
			break
		}
		if s := x.news[n].slot; s != nil {
			x.free(s)
		}
	}
	v := &visit{news: slices.Clone(x.news[:n]), slots: slices.Clone(x.slots)}
	x.news = slices.Delete(x.news, 0, n)
	return v
}

// visit tells the news and gets tasks for the slots. The waiter is replaced by one that waits for what is missing.
func (x *exchange) visit(v *visit) error {
	if len(v.slots) > 0 {
		var err error
		if v.waits, err = x.w.own.NewWaiter(taskVar, x.w.lease); err != nil {
			return err
		}
	}
	v.leaves, v.used = x.waiter, x.used
	x.waiter, x.used = nil, false
	born, err := x.send(v)
	if err != nil {
		x.drop(v.leaves, v.used)
		x.drop(v.waits, false)
		return err
	}
	if v.leaves != nil {
		v.leaves.End()
	}
	switch {
	case v.waits == nil:
	case born != "" && v.waits.Waits(born), v.waits.Name() == "":
		x.waiter = v.waits
	default:
		v.waits.End()
		x.nudge() // if there are free slots still
	}
	return nil
}

// drop has a waiter leave that may wait.
func (x *exchange) drop(w *workspace.Waiter, used bool) {
	if w != nil {
		w.Leave(used)
	}
}

// end says that there are no more tasks.
func (x *exchange) end(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.over = err
	for len(x.slots) > 0 {
		x.give(x.slots[0], nil)
	}
}

// send returns the incarnation of the variable that v.waits waits for now; it is empty if it does not.
func (x *exchange) send(v *visit) (born string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	do := x.w.own.Do
	sizes, leaves, waits := "", "", ""
	for _, s := range v.slots {
		sizes += strconv.Itoa(s.n) + " "
	}
	if v.leaves != nil {
		leaves = v.leaves.Name()
	}
	if v.waits != nil {
		do, waits = v.waits.Do, v.waits.Name()
	}
	var jobs []string
	for _, n := range v.news {
		for _, o := range n.done {
			if o.job != "" && !slices.Contains(jobs, o.job) {
				jobs = append(jobs, o.job)
			}
		}
	}
	variables := []string{x.in, taskVar}
	args := []any{sizes, x.w.sharers(), x.w.lease.Milliseconds(), leaves, v.used, waits, len(jobs)}
	for _, job := range jobs {
		variables = append(variables, countVarOf(job), backlogVarOf(job), resultVarOf(job))
		args = append(args, job)
	}
	for _, n := range v.news {
		args = append(args, n.claim, len(n.done))
		for _, o := range n.done {
			args = o.appendTo(args, 1+slices.Index(jobs, o.job))
		}
	}
	word, texts, err := do(ctx, settleScript, variables, args...)
	if err != nil {
		return "", err
	}
	claims, texts, err := x.w.own.MadeClaims(taskVar, word, texts)
	if err != nil {
		return "", err
	}
	for i, c := range claims {
		x.mu.Lock()
		ok := x.give(v.slots[i], c)
		x.mu.Unlock()
		if !ok { // the worker leaves
			b, _ := x.batchOf(c)
			b.release()
		}
	}
	for _, job := range texts[2:] {
		x.w.dropped.add(job)
	}
	if texts[1] == "BURIED" {
		return "", workspace.ErrBuried
	}
	return texts[1], nil
}

// appendTo adds what settle.lua wants to know of an outcome.
func (o *outcome) appendTo(args []any, job int) []any {
	elements := ""
	if o.of != nil {
		elements = fmt.Sprint(o.of.First, " ", o.of.N)
	}
	args = append(args, o.index, elements, job, o.done, o.failed, o.result, o.kept, len(o.instead))
	for _, text := range o.instead {
		args = append(args, text)
	}
	return args
}
