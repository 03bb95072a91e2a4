package workspacetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

const (
	// prompt is how soon a call returns after its context or its connection ended, if Redis answers. What it borrowed is back
	// by then; else it is back when all is at rest.
	prompt = 500 * time.Millisecond
	// grace is how long a fetch may take that had its value handed to it once only. One that did not come for it in time,
	// since its connection or the server was away, has it handed back, and may have it again.
	grace = time.Second

	atRest int64 = -1 // stands for the time at which all clients had ended
)

// recorder writes down what some goroutines do.
type recorder struct {
	start time.Time

	mu       sync.Mutex
	ops      []porcupine.Operation
	last     rune // call or value
	strange  []error
	outcomes map[string]int
}

func newRecorder() *recorder { return &recorder{start: time.Now(), outcomes: map[string]int{}} }

func (r *recorder) now() int64 { return int64(time.Since(r.start)) }

// fresh gives numbers for calls and values that nothing else has.
func (r *recorder) fresh(n int) []rune {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]rune, n)
	for i := range all {
		r.last++
		all[i] = r.last
	}
	return all
}

// call is one that is under way.
type call struct {
	*recorder
	ctx      context.Context
	client   int
	variable string
	began    int64
	ended    int64
}

func (r *recorder) begin(ctx context.Context, client int, variable string) *call {
	return &call{recorder: r, ctx: ctx, client: client, variable: variable, began: r.now()}
}

// did notes steps that were done between the beginning and the end of the call.
func (c *call) did(steps ...step) { c.note(c.began, c.ended, steps...) }

// may notes steps that may be done at any time from its beginning on.
func (c *call) may(steps ...step) { c.note(c.began, ever, steps...) }

func (c *call) note(begin, end int64, steps ...step) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, st := range steps {
		st.variable = c.variable
		c.ops = append(c.ops, porcupine.Operation{ClientId: c.client, Input: st, Call: begin, Return: end})
	}
}

// outcome is what an error says of a call.
type outcome string

const (
	done      outcome = "done"
	notDone   outcome = "context ended"
	notKnown  outcome = "not known"
	wasGone   outcome = "variable deleted"
	refused   outcome = "refused" // no such variable, or another mode
	strangely outcome = "strange error"
)

func (c *call) end(verb string, err error) outcome {
	c.ended = c.now()
	o := outcomeOf(c.ctx, err)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outcomes[fmt.Sprintf("%s %s", verb, o)]++
	if o == strangely {
		c.strange = append(c.strange, fmt.Errorf("%s of %q: %w", verb, c.variable, err))
	}
	return o
}

func outcomeOf(ctx context.Context, err error) outcome {
	_, unknown := errors.AsType[*redisx.UnknownError](err)
	switch {
	case err == nil:
		return done
	case unknown:
		return notKnown
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return notDone
	case errors.Is(err, workspace.ErrVarDeleted):
		return wasGone
	case errors.Is(err, workspace.ErrNoVar), errors.Is(err, workspace.ErrDeclared):
		return refused
	default:
		return strangely
	}
}

func (r *recorder) store(ctx context.Context, client int, ws *workspace.Workspace, variable string, n int) {
	numbers := r.fresh(n + 1)
	id, steps, values := numbers[n], []step{}, []any{}
	for i, value := range numbers[:n] {
		steps = append(steps, step{kind: stored, value: value, call: id, place: rune(i), last: i == n-1})
		values = append(values, value)
	}
	c := r.begin(ctx, client, variable)
	switch c.end("store", ws.StoreAll(ctx, variable, values...)) {
	case done:
		c.did(steps...)
	case notKnown:
		c.may(steps...)
	}
}

// fetch calls one of Fetch, TryFetch, Find and TryFind.
func (r *recorder) fetch(ctx context.Context, client int, ws *workspace.Workspace, variable string, takes, tries bool) {
	id := r.fresh(1)[0]
	name, verb := "find", ws.TryFind
	if takes {
		name, verb = "fetch", ws.TryFetch
	}
	if !tries {
		name += ", waiting,"
		verb = func(ctx context.Context, variable string, into any) (bool, error) {
			if takes {
				return true, ws.Fetch(ctx, variable, into)
			}
			return true, ws.Find(ctx, variable, into)
		}
	}
	var value rune
	c := r.begin(ctx, client, variable)
	ok, err := verb(ctx, variable, &value)
	o := c.end(name, err)
	borrowed := takes && (o == notDone || o == wasGone ||
		!tries && (o == notKnown || o == done && time.Duration(c.ended-c.began) > grace))
	switch {
	case o == done && !ok:
		c.did(step{kind: empty})
	case o == done && takes:
		c.did(step{kind: fetched, value: value})
	case o == done:
		c.did(step{kind: found, value: value})
	case o == wasGone:
		c.did(step{kind: begins, call: id}, step{kind: woken, call: id})
	case o == notKnown && takes:
		c.note(c.began, c.began, step{kind: mayTake})
	case !takes:
		c.did(step{kind: asked})
	}
	if borrowed {
		end := c.ended
		if c.late() {
			end = atRest
		}
		c.note(c.began, c.began, step{kind: borrows, call: id})
		c.note(end, end, step{kind: returned, call: id})
	}
}

// late reports whether the call may have had to go on long after it was clear that it has no value.
func (c *call) late() bool {
	deadline, ok := c.ctx.Deadline()
	ended := c.start.Add(time.Duration(c.ended))
	return time.Duration(c.ended-c.began) > prompt && (!ok || c.ctx.Err() == nil || ended.Sub(deadline) > prompt)
}

func (r *recorder) declare(ctx context.Context, client int, ws *workspace.Workspace, variable string, mode workspace.Mode) {
	c := r.begin(ctx, client, variable)
	switch c.end("declare", ws.Declare(ctx, variable, mode)) {
	case done:
		c.did(step{kind: declared, mode: mode})
	case refused:
		c.did(step{kind: otherMode, mode: mode})
	case notKnown, notDone: // it may be sent again, so that it does not say which of the two
		c.may(step{kind: declaring, mode: mode})
	}
}

func (r *recorder) deleteVar(ctx context.Context, client int, ws *workspace.Workspace, variable string) {
	c := r.begin(ctx, client, variable)
	switch c.end("delete", ws.DeleteVar(ctx, variable)) {
	case done:
		c.did(step{kind: deleted})
	case refused:
		c.did(step{kind: noVar})
	case notKnown:
		c.may(step{kind: deleting})
	}
}

// finish gives the history, once all clients have ended and drain has taken what was left.
func (r *recorder) finish(rest int64) []porcupine.Operation {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.ops {
		if r.ops[i].Return == atRest {
			r.ops[i].Call, r.ops[i].Return = rest, rest
		}
	}
	return sharpen(r.ops)
}
