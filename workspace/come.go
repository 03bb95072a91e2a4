package workspace

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/netspaces/netspaces/redisx"
)

// Fetches that are woken at about the same time come together for what was handed to them: while two requests of such are
// under way, those that are woken meanwhile wait for the next one.
const (
	comesSending = 2
	comesBatch   = 128 // in one request; all of those under way need no more lanes than there are
)

// coming is the woken fetches of a handle.
type coming struct {
	mu      sync.Mutex
	sending int
	next    []*arrival
}

// arrival is a woken fetch that comes with others. coming.mu guards what is before done.
type arrival struct {
	waiter    *waiter
	born      string     // the variable's incarnation
	request   *departure // once it is on its way
	abandoned bool       // nobody waits for it any more
	done      chan struct{}
	reply     reply // its word is empty if it has to ask by itself
	err       error
}

// come is ask for a fetch that was woken.
func (ws *Workspace) come(ctx context.Context, q question, w *waiter, args ...any) (reply, error) {
	c := &ws.coming
	c.mu.Lock()
	if c.sending < comesSending {
		c.sending++
		c.mu.Unlock()
		defer ws.sendArrivals()
		return ws.ask(ctx, q, w, args...)
	}
	a := &arrival{waiter: w, born: w.born, done: make(chan struct{})}
	c.next = append(c.next, a)
	c.mu.Unlock()

	select {
	case <-a.done:
	case <-ctx.Done():
		if request, gone := c.abandon(a); gone {
			return reply{}, ws.wrap(q.variable, ws.abandoned(ctx, request))
		}
	}
	if _, unknown := errors.AsType[*redisx.UnknownError](a.err); unknown && a.request != nil {
		_, a.err = ws.resolve(a.request, a.err)
	}
	if a.err != nil {
		return reply{}, ws.wrap(q.variable, a.err)
	}
	if a.reply.word == "" {
		return ws.ask(ctx, q, w, args...)
	}
	return a.reply, nil
}

// abandon has nobody wait for an arrival, unless it is done. The request is nil if it was not sent.
func (c *coming) abandon(a *arrival) (request *departure, gone bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-a.done:
		return nil, false
	default:
	}
	a.abandoned = true
	if i := slices.Index(c.next, a); i >= 0 {
		c.next = slices.Delete(c.next, i, i+1)
	}
	return a.request, true
}

// abandoned takes a request back whose caller's context has ended.
func (ws *Workspace) abandoned(ctx context.Context, request *departure) error {
	if request == nil {
		return ctx.Err()
	}
	_, err := ws.resolve(request, &redisx.UnknownError{Script: comeScript.Name(), Err: ctx.Err()})
	return err
}

// sendArrivals goes on after a request, with those who were woken meanwhile. Its caller is inside ws.calls.
func (ws *Workspace) sendArrivals() {
	c := &ws.coming
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.next) == 0 {
		c.sending--
		return
	}
	n := min(len(c.next), comesBatch)
	some := slices.Clone(c.next[:n])
	c.next = slices.Delete(c.next, 0, n)
	ws.calls.join()
	go func() {
		defer ws.calls.leave()
		defer ws.sendArrivals()
		ws.sendArrived(some)
	}()
}

// sendArrived sends one request for some who were woken.
func (ws *Workspace) sendArrived(some []*arrival) {
	epoch, err := ws.introduce(context.Background())
	var sent []*arrival
	keys, args := ws.keys.forScript(ws.client), []any{ws.incarnation, epoch}
	for _, a := range some {
		var l *lane
		if err == nil {
			l, err = ws.lanes.take(context.Background(), ws.ctx.Done())
		}
		if err != nil {
			ws.coming.end(a, reply{}, err)
			continue
		}
		d := &departure{variable: a.waiter.variable, waiter: a.waiter, request: l.request(epoch), lane: l}
		if !ws.coming.begin(a, d) {
			ws.lanes.give(l)
			continue
		}
		sent = append(sent, a)
		keys = append(keys, ws.keys.of("waiters", d.variable), ws.keys.of("handed", d.variable))
		args = append(args, a.waiter.member(ws.client), a.born, l.name, l.number)
	}
	if len(sent) == 0 {
		return
	}
	r, err := ws.call(context.Background(), comeScript, keys, args...)
	if err == nil && r.word == "NOCLIENT" {
		ws.forgotten(epoch)
	}
	for i, a := range sent {
		ws.arrived(a, r, i, err)
	}
}

// arrived ends one of those who have come together, by its place in the reply.
func (ws *Workspace) arrived(a *arrival, r reply, i int, err error) {
	d := a.request
	_, unknown := errors.AsType[*redisx.UnknownError](err)
	taken := err == nil && r.text(2*i) == "VALUES"
	mine := reply{}
	if taken {
		ws.calls.join() // until it is given back
		mine = reply{word: "VALUES", rest: []any{a.born, r.text(2*i + 1)}, kept: d}
	}
	ended := ws.coming.end(a, mine, err)
	if taken && !ended {
		ws.calls.leave()
	}
	if ended && !taken && !unknown {
		ws.lanes.give(d.lane)
	}
}

// begin notes the request of an arrival. It is false if nobody waits for it any more.
func (c *coming) begin(a *arrival, request *departure) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !a.abandoned {
		a.request = request
	}
	return !a.abandoned
}

// end tells what came of an arrival. It is false if nobody waits for it any more.
func (c *coming) end(a *arrival, r reply, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !a.abandoned {
		a.reply, a.err = r, err
		close(a.done)
	}
	return !a.abandoned
}
