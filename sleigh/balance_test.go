package sleigh_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/sleightest"
)

// Random schedules take the longer, the more of them there are: some seconds by default, and what -rapid.checks or
// RAPID_CHECKS say.
func init() {
	for name, value := range map[string]string{"rapid.checks": "12", "rapid.shrinktime": "20m"} { // of a bubble's time
		if os.Getenv("RAPID_CHECKS") == "" || name != "rapid.checks" {
			if err := flag.Set(name, value); err != nil {
				panic(err)
			}
		}
	}
}

// TestS7Balance takes random steps, after each of which the numbers of all jobs have to add up: submitted = backlog + queued
// + claimed + done. In the end each job has its results.
func TestS7Balance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turn := 0
		rapid.Check(noDeadline{t}, func(t *rapid.T) {
			turn++
			p := &schedule{bubble: newBubble(t, fmt.Sprint("balance", turn), scheduleRanks), T: t}
			p.admin, _ = p.client()
			p.workers[0], p.workers[1] = p.worker(0), p.worker(1)
			p.submit(t)
			actions := map[string]func(*rapid.T){
				"Submit": p.submit, "SubmitWorkers": p.submitWorkers, "End": p.end, "EndMany": p.endMany, "Join": p.join, "Die": p.die,
				"Bury": p.bury, "Revive": p.revive, "Leave": p.leave, "Cancel": p.cancel,
			}
			for name, act := range actions {
				actions[name] = func(t *rapid.T) {
					p.pass(t)
					act(t)
				}
			}
			actions[""] = p.look
			t.Repeat(actions)
			p.finish()
		})
	})
}

// noDeadline hides what must not be asked for in a bubble.
type noDeadline struct{ rapid.TB }

const (
	scheduleRanks = 3
	scheduleJobs  = 3 // at a time
)

// schedule is what may happen to some jobs and workers, in any order.
type schedule struct {
	*bubble
	*rapid.T
	admin   *redisx.Client
	workers [scheduleRanks]*worker // nil: there is none
	dead    []*worker              // of which nobody knows
	jobs    []*scheduled
}

// scheduled is a job under way.
type scheduled struct {
	*call
	n    int
	done int // as it was told
}

// look is what has to be true after each step.
func (p *schedule) look(*rapid.T) {
	synctest.Wait()
	if err := sleightest.Balance(p.ctx, p.admin.Redis(), p.sleigh.Name()); err != nil {
		p.Fatal(err)
	}
}

func (p *schedule) submit(t *rapid.T) {
	if len(p.jobs) == scheduleJobs {
		t.Skip("there are enough jobs")
	}
	j := &scheduled{n: rapid.IntRange(1, 40).Draw(t, "elements")}
	o := &sleigh.JobOptions{
		Chunk:      rapid.SampledFrom([]int{0, 1, 3, 7, 20}).Draw(t, "chunk"),
		Priority:   rapid.IntRange(1, 3).Draw(t, "priority"),
		LoadFactor: rapid.IntRange(0, 2).Draw(t, "load factor"),
		Attempts:   rapid.IntRange(1, 3).Draw(t, "attempts"),
		NoCopies:   rapid.Bool().Draw(t, "no copies"),
		OnDone:     func(done int) { j.done = done },
	}
	j.call = p.begin(func(ctx context.Context) ([]played, error) { return held.EachElem(ctx, p.sleigh, upTo(j.n), o) })
	p.jobs = append(p.jobs, j)
}

// submitWorkers begins EachWorker.
func (p *schedule) submitWorkers(t *rapid.T) {
	if len(p.jobs) == scheduleJobs {
		t.Skip("there are enough jobs")
	}
	c := p.begin(func(ctx context.Context) ([]played, error) { return held.EachWorker(ctx, p.sleigh, 0) })
	p.jobs = append(p.jobs, &scheduled{call: c, n: scheduleRanks, done: scheduleRanks}) // it does not tell
}

// running are the runs that have not been told to end, those of workers that are dead for others among them.
func (p *schedule) running() []*run {
	synctest.Wait()
	var all []*run
	for _, r := range p.stage.all() {
		r.mu.Lock()
		over := r.ended || r.told
		r.mu.Unlock()
		if !over {
			all = append(all, r)
		}
	}
	return all
}

func (p *schedule) end(t *rapid.T) {
	all := p.running()
	if len(all) == 0 {
		t.Skip("nothing runs")
	}
	r := rapid.SampledFrom(all).Draw(t, "run")
	var err error
	if rapid.IntRange(0, 3).Draw(t, "fails") == 0 {
		err = errors.New("it is to fail")
	}
	r.tell(err)
}

// endMany ends all that runs, and what then begins, some times.
func (p *schedule) endMany(t *rapid.T) {
	for range rapid.IntRange(1, 10).Draw(t, "rounds") {
		for _, r := range p.running() {
			r.tell(nil)
		}
	}
}

func (p *schedule) join(t *rapid.T) {
	rank := rapid.IntRange(0, scheduleRanks-1).Draw(t, "rank")
	if p.workers[rank] != nil {
		t.Skip("it is there")
	}
	p.workers[rank] = p.worker(rank)
}

// alive draws a worker that is.
func (p *schedule) alive(t *rapid.T) (w *worker, rank int) {
	rank = rapid.IntRange(0, scheduleRanks-1).Draw(t, "rank")
	if p.workers[rank] == nil {
		t.Skip("it is not there")
	}
	return p.workers[rank], rank
}

func (p *schedule) die(t *rapid.T) {
	w, rank := p.alive(t)
	p.workers[rank] = nil
	p.dead = append(p.dead, w)
	if rapid.Bool().Draw(t, "frozen") { // what is on its way arrives once it goes on
		w.on.freeze()
	} else {
		w.die()
	}
}

// unknown draws a dead worker that nobody knows of.
func (p *schedule) unknown(t *rapid.T) *worker {
	if len(p.dead) == 0 {
		t.Skip("there is none")
	}
	i := rapid.IntRange(0, len(p.dead)-1).Draw(t, "dead worker")
	w := p.dead[i]
	p.dead = append(p.dead[:i:i], p.dead[i+1:]...)
	return w
}

func (p *schedule) bury(t *rapid.T) {
	p.unknown(t).bury(&sleigh.Death{Host: "host"})
}

// revive has a worker come back that was away for some time, as one of a rank that another one may have by now.
func (p *schedule) revive(t *rapid.T) {
	p.unknown(t).revive()
}

func (p *schedule) leave(t *rapid.T) {
	w, rank := p.alive(t)
	p.workers[rank] = nil
	w.stop()
	<-w.gone
}

func (p *schedule) cancel(t *rapid.T) {
	if len(p.jobs) == 0 {
		t.Skip("there is no job")
	}
	i := rapid.IntRange(0, len(p.jobs)-1).Draw(t, "job")
	j := p.jobs[i]
	p.jobs = append(p.jobs[:i:i], p.jobs[i+1:]...)
	j.cancel()
	<-j.call.done
	if j.err != nil && !errors.Is(j.err, context.Canceled) {
		if _, failed := errors.AsType[sleigh.TaskErrors](j.err); !failed {
			p.Errorf("a cancelled job: %v", j.err)
		}
	}
}

// pass lets so much time pass that workers settle, share, hear of cancelled jobs, or lose their leases.
func (p *schedule) pass(t *rapid.T) {
	time.Sleep(rapid.SampledFrom([]time.Duration{0, 0, 10 * ms, 200 * ms, 200 * ms, s, 4 * s, lease + told}).Draw(t, "pause"))
}

// finish has all jobs end, and checks what came of them.
func (p *schedule) finish() {
	for rank := range p.workers {
		if p.workers[rank] == nil {
			p.workers[rank] = p.worker(rank)
		}
	}
	for round := 0; !p.allDone(); round++ {
		if round == 1000 {
			p.Fatalf("%d jobs do not end: %v", len(p.jobs), sleightest.Balance(p.ctx, p.admin.Redis(), p.sleigh.Name()))
		}
		for _, r := range p.running() {
			r.tell(nil)
		}
		p.look(nil)
		time.Sleep(100 * ms)
	}
	for _, j := range p.jobs {
		p.verify(j)
	}
}

func (p *schedule) allDone() bool {
	synctest.Wait()
	for _, j := range p.jobs {
		select {
		case <-j.call.done:
		default:
			return false
		}
	}
	return true
}

func (p *schedule) verify(j *scheduled) {
	failed := map[int]bool{}
	if all, ok := errors.AsType[sleigh.TaskErrors](j.err); ok {
		for _, e := range all {
			if failed[e.Index] {
				p.Errorf("element %d failed twice", e.Index)
			}
			failed[e.Index] = true
		}
	} else if j.err != nil {
		p.Fatalf("a job of %d elements: %v", j.n, j.err)
	}
	if len(j.results) != j.n || j.done != j.n {
		p.Fatalf("a job of %d elements has %d results, and told of %d", j.n, len(j.results), j.done)
	}
	for i, r := range j.results {
		if !failed[i] && r.Index != i {
			p.Errorf("element %d has the result %+v", i, r)
		}
	}
}
