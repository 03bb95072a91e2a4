package sleigh

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/workspace"
)

const (
	newsTasks = 2000 // told of at a time, but for those of one batch
	newsBytes = 8 << 20
)

// exchange tells Redis what came of a worker's tasks, and brings the next ones for slots that are free by that. While one request
// is under way, what others have to tell waits for the next, which tells of all in one step: it costs Redis little more than one.
type exchange struct {
	w  *Worker
	in string // the variable that the tasks are claimed from

	mu      sync.Mutex
	sending bool
	waiting []*news
}

func (x *exchange) batchOf(c *workspace.Claim) *batch {
	return &batch{w: x.w, claim: c, exchange: x, telling: newBaton(), lease: x.w.lease, end: len(c.Values), settled: time.Now()}
}

// news is what a batch has to tell.
type news struct {
	claim  string
	done   []outcome
	wanted int // tasks to claim next

	told chan struct{} // closed when the rest is known
	next *workspace.Claim
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

// tell tells Redis, and returns tasks for the slot if there are any. It blocks until Redis has answered, or for some time.
func (x *exchange) tell(n *news) (*workspace.Claim, error) {
	n.told = make(chan struct{})
	x.mu.Lock()
	x.waiting = append(x.waiting, n)
	if !x.sending {
		x.sending = true
		go x.sendAll()
	}
	x.mu.Unlock()
	late := time.NewTimer(drainFor)
	defer late.Stop()
	select {
	case <-n.told:
		return n.next, n.err
	case <-late.C:
	}
	x.mu.Lock()
	i := slices.Index(x.waiting, n)
	if i >= 0 {
		x.waiting = slices.Delete(x.waiting, i, i+1)
	}
	x.mu.Unlock()
	if i >= 0 {
		return nil, context.DeadlineExceeded
	}
	<-n.told
	return n.next, n.err
}

func (x *exchange) sendAll() {
	for {
		group := x.take()
		if len(group) == 0 {
			return
		}
		err := x.send(group)
		if _, answered := errors.AsType[redis.Error](err); answered && len(group) > 1 {
			for _, n := range group { // it may be the fault of one
				n.err = x.send([]*news{n})
				close(n.told)
			}
			continue
		}
		for _, n := range group {
			n.err = err
			close(n.told)
		}
	}
}

// take takes what is to be told next; nothing if that is all.
func (x *exchange) take() []*news {
	x.mu.Lock()
	defer x.mu.Unlock()
	n, tasks, bytes := 0, 0, 0
	for ; n < len(x.waiting); n++ {
		tasks, bytes = tasks+len(x.waiting[n].done), bytes+x.waiting[n].bytes()
		if n > 0 && (tasks > newsTasks || bytes > newsBytes) {
			break
		}
	}
	group := slices.Clone(x.waiting[:n])
	x.waiting = slices.Delete(x.waiting, 0, n)
	x.sending = n > 0
	return group
}

func (x *exchange) send(group []*news) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	var jobs []string
	var wanting []*news
	sizes := ""
	for _, n := range group {
		for _, o := range n.done {
			if o.job != "" && !slices.Contains(jobs, o.job) {
				jobs = append(jobs, o.job)
			}
		}
		if n.wanted > 0 {
			wanting = append(wanting, n)
			sizes += fmt.Sprint(n.wanted, " ")
		}
	}
	variables := []string{x.in, taskVar}
	args := []any{sizes, x.w.sharers(), x.w.lease.Milliseconds(), len(jobs)}
	for _, job := range jobs {
		variables = append(variables, countVarOf(job), backlogVarOf(job), resultVarOf(job))
		args = append(args, job)
	}
	for _, n := range group {
		args = append(args, n.claim, len(n.done))
		for _, o := range n.done {
			args = o.appendTo(args, 1+slices.Index(jobs, o.job))
		}
	}
	word, texts, err := x.w.own.Do(ctx, settleScript, variables, args...)
	if err != nil {
		return err
	}
	claims, rest, err := x.w.own.MadeClaims(x.in, word, texts)
	if err != nil {
		return err
	}
	for i, claim := range claims {
		wanting[i].next = claim
	}
	for _, job := range rest[1:] { // after OK
		x.w.dropped.add(job)
	}
	return nil
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
