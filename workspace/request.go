package workspace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/netspaces/netspaces/redisx"
)

// A call that changes something is a numbered request in a lane: Redis does it once, however often it is sent, and keeps
// the reply for as long as it may be asked for again.
const (
	cancelQuick = time.Second // a caller waits so long to learn what became of its request
	bulky       = 4 << 10     // a reply of more bytes is not left in its lane
	madeClaims  = "CLAIMED"   // the word of an answer with claims; see claims.lua
)

// errForgotten is for a call that was sent again after Redis had forgotten what it knew of the first time.
var errForgotten = errors.New("its reply was lost, and then the client was silent for so long that Redis has forgotten it")

// origin is whom a request comes from.
type origin struct {
	variable string  // the first of those that it works on
	waiter   *waiter // that it speaks for; nil if there is none
	keep     bool    // whether the reply should stay in its lane, so that some of it can be given back
}

// request runs a script that changes something. Its arguments begin with the incarnation, the request and the variable.
// When ctx ends, so does the call; what it has taken then goes back.
func (ws *Workspace) request(ctx context.Context, s *redisx.Script, keys []string, from origin, more ...any) (reply, error) {
	if !ws.calls.enter() {
		return reply{}, ErrClosed
	}
	defer ws.calls.leave()
	l, err := ws.lanes.take(ctx, ws.ctx.Done())
	if err != nil {
		return reply{}, err
	}
	args := append([]any{ws.incarnation, "", from.variable}, more...)
	for {
		epoch, err := ws.introduce(ctx)
		if err != nil {
			ws.lanes.give(l)
			return reply{}, err
		}
		d := &departure{variable: from.variable, waiter: from.waiter, request: l.request(epoch), lane: l}
		args[1] = d.request
		before := ws.rdb.Retries()
		r, err := ws.call(ctx, s, keys, args...)
		if _, unknown := errors.AsType[*redisx.UnknownError](err); unknown {
			return ws.resolve(d, err)
		}
		switch {
		case err != nil:
			ws.lanes.give(l)
		case r.word == "NOCLIENT":
			ws.forgotten(epoch)
			if from.waiter == nil && ws.rdb.Retries() != before {
				ws.lanes.give(l)
				return reply{}, &redisx.UnknownError{Script: s.Name(), Err: errForgotten}
			}
			continue
		case from.waiter != nil && !from.keep && ws.rdb.Retries() != before && (r.word == "VALUES" || r.word == "KEPT"):
			ws.depart(d) // Redis does not know that it is done, and a copy on its way would make it wait again
		case r.word == "VALUES" && from.keep:
			ws.calls.join() // until it is given back
			r.kept = d
		case s == findScript || s == followScript || s == claimScript: // what they reply is not in the lane
			ws.lanes.give(l)
		default:
			ws.free(d, r)
		}
		return r, err
	}
}

// look is try for what takes nothing: it needs no lane, since sent again it does no harm.
func (ws *Workspace) look(ctx context.Context, q question, more ...any) (reply, error) {
	if !ws.calls.enter() {
		return reply{}, ws.wrap(q.variable, ErrClosed)
	}
	defer ws.calls.leave()
	if _, err := ws.introduce(ctx); err != nil {
		return reply{}, ws.wrap(q.variable, err)
	}
	args := append([]any{ws.incarnation, "", q.variable, "", q.born}, more...)
	r, err := ws.call(ctx, q.script, ws.keysFor(q.variable), args...)
	if unknown, ok := errors.AsType[*redisx.UnknownError](err); ok {
		err = unknown.Err
	}
	return ws.understood(q, r, err)
}

// understood makes errors of what a reply says in words.
func (ws *Workspace) understood(q question, r reply, err error) (reply, error) {
	switch {
	case err != nil:
	case r.word == "DELETED":
		err = ErrVarDeleted
	case r.word == "BURIED":
		err = ErrBuried
	case r.word == "MODE":
		err = fmt.Errorf("%w: its mode is %s", ErrIterate, r.text(0))
	}
	if err != nil {
		return reply{}, ws.wrap(q.variable, err)
	}
	return r, nil
}

// resolve finds out what became of a request whose reply did not come.
func (ws *Workspace) resolve(d *departure, cause error) (reply, error) {
	select {
	case <-ws.depart(d):
	case <-time.After(cancelQuick):
		return reply{}, cause
	}
	switch d.outcome.word {
	case "DONE":
		word := d.outcome.text(0)
		return reply{word: word, rest: d.outcome.rest[1:]}, nil
	case "NOT", "UNDONE":
		return reply{}, errors.Unwrap(cause)
	case "GONE":
		return reply{}, ErrNoWorkspace
	}
	return reply{}, cause
}

// free gives the lane of a request back that is done. A large reply is taken out of it first; of claims it has their names only.
func (ws *Workspace) free(d *departure, r reply) {
	if r.size() <= bulky || r.word == "CLAIM" || r.word == madeClaims {
		ws.lanes.give(d.lane)
		return
	}
	ws.inBackground(func(ctx context.Context) {
		// Where it fails, the next request of the lane replaces the reply.
		_, _ = call(ctx, ws.rdb, receivedScript, ws.keys.forScript(ws.client), ws.incarnation, d.request)
		ws.lanes.give(d.lane)
	})
}

// giveBack frees the lane of a reply that was kept, once those of its values that were not used are back. The channel is
// closed then; it is nil if none go back.
func (ws *Workspace) giveBack(r reply) <-chan struct{} {
	if h := r.kept.haul; h != nil {
		return ws.landed(h, r.kept.place, r.kept.used > 0)
	}
	defer ws.calls.leave()
	if r.kept.used < len(r.rest)-1 {
		return ws.depart(r.kept)
	}
	ws.free(r.kept, r)
	return nil
}

// waitBack waits for the channel of giveBack, so that who calls next finds the values there. Where Redis does not answer
// soon, they go back later.
func (ws *Workspace) waitBack(back <-chan struct{}) {
	if back == nil {
		return
	}
	select {
	case <-back:
	case <-time.After(cancelQuick):
	}
}

// departure is a caller that has gone while Redis does not know it: one that waited, or whose request may have been done.
type departure struct {
	variable string
	waiter   *waiter // nil if none is registered
	request  string  // empty if only the waiter leaves
	used     int     // how many of the values that it got, from the first on, are not to go back
	places   []int   // of further ones, from 1 on
	lane     *lane   // is free when Redis knows; nil without a request
	outcome  reply
	done     chan struct{} // closed when Redis knows

	haul  *haul // whose request it was, if the value came with those of others; all else is nil then but used
	place int   // of the value among these
}

// depart tells Redis, now and where that fails with each beat. The channel is closed when Redis has answered.
func (ws *Workspace) depart(d *departure) <-chan struct{} {
	q := &ws.waiting
	q.mu.Lock()
	if d.done == nil {
		d.done = make(chan struct{})
	}
	q.leaving[d] = struct{}{}
	q.mu.Unlock()
	if d.waiter != nil {
		d.waiter.left = true
	}

	ws.inBackground(func(ctx context.Context) { ws.tellDeparture(ctx, d) })
	return d.done
}

func (ws *Workspace) tellDeparture(ctx context.Context, d *departure) {
	member, born := "", ""
	if d.waiter != nil {
		member = d.waiter.member(ws.client)
		ws.waiting.mu.Lock()
		born = d.waiter.born
		ws.waiting.mu.Unlock()
	}
	args := []any{ws.incarnation, d.request, d.variable, member, born, d.used}
	for _, place := range d.places {
		args = append(args, place)
	}
	r, err := call(ctx, ws.rdb, cancelScript, ws.keysFor(d.variable), args...)
	if err != nil {
		return
	}
	q := &ws.waiting
	q.mu.Lock()
	_, first := q.leaving[d]
	delete(q.leaving, d)
	if first {
		d.outcome = r
	}
	q.mu.Unlock()
	if first && d.lane != nil {
		ws.lanes.give(d.lane)
	}
	if first {
		close(d.done)
	}
}

// inBackground runs f, which ends soon, in a goroutine that Close waits for.
func (ws *Workspace) inBackground(f func(ctx context.Context)) {
	ws.calls.join()
	go func() {
		defer ws.calls.leave()
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		f(ctx)
	}()
}
