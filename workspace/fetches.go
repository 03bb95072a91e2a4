package workspace

import (
	"context"
	"errors"
	"slices"
	"time"
)

// fetches are those of one handle that are under way.
type fetches struct {
	groups[haul]
	large map[string]bool // variables whose values are so large that each is taken by itself; mu guards it
}

// haul is fetches of one value, by some goroutines from one variable, that wait for a request or have one. It takes as many
// values as there are callers, who get them in the order in which they came. What is not used goes back in one step, when it
// is known of all of them. The mutex of ws.fetches guards it.
type haul struct {
	passage
	fetchers []*fetcher
	sent     bool
	err      error // of the request

	reply reply
	left  int           // values of which it is not known yet whether they are used
	used  []int         // the places of those that are
	over  chan struct{} // closed when all that goes back is there
}

// fetcher is one of the callers.
type fetcher struct {
	place int  // of its value in the reply, from 1 on; 0 if it has none
	gone  bool // its context has ended
}

// fetch takes a value, if there is one or it is to wait.
func (ws *Workspace) fetch(ctx context.Context, variable string, wait bool) (reply, error) {
	if err := ctx.Err(); err != nil {
		return reply{}, ws.wrap(variable, err)
	}
	if !ws.calls.enter() {
		return reply{}, ws.wrap(variable, ErrClosed)
	}
	defer ws.calls.leave()
	for {
		var with *haul
		var mine *fetcher
		alone := ws.fetches.begin(variable, func(next **haul) {
			with, mine = ws.fetches.join(variable, next)
		})
		if with == nil {
			return ws.fetchAlone(ctx, variable, wait, alone)
		}
		r, err := ws.fetchWith(ctx, variable, with, mine)
		if wait && (errors.Is(err, errForgotten) || err == nil && r.word != "VALUES") {
			return ws.fetchAlone(ctx, variable, true, false)
		}
		if err != nil || r.word != "" {
			return r, err
		} // others have got what was there
	}
}

// join adds a caller to those who wait, if small values can be expected. f.mu is held.
func (f *fetches) join(variable string, next **haul) (*haul, *fetcher) {
	if f.large[variable] || *next != nil && len((*next).fetchers) == maxFetch {
		return nil, nil
	}
	if *next == nil {
		*next = &haul{passage: newPassage(), over: make(chan struct{})}
	}
	h, mine := *next, &fetcher{}
	h.fetchers = append(h.fetchers, mine)
	h.callers++
	return h, mine
}

// fetchAlone fetches by a request of its own. It has others go on after it, if they wait for that.
func (ws *Workspace) fetchAlone(ctx context.Context, variable string, wait, followed bool) (reply, error) {
	q := question{script: fetchScript, variable: variable, keep: true, one: true}
	q.asked = func(r reply) {
		if r.word == "VALUES" {
			ws.fetches.note(variable, r)
		}
		if followed {
			followed = false
			ws.sendHaul(variable)
		}
	}
	defer func() { q.asked(reply{}) }()
	if wait {
		return ws.await(ctx, q, random(), 1, "")
	}
	return ws.try(ctx, q, random(), 1, "")
}

// fetchWith waits for the end of a request with others. The reply is of no word if there were values, and others got them.
func (ws *Workspace) fetchWith(ctx context.Context, variable string, h *haul, mine *fetcher) (reply, error) {
	select {
	case <-h.done:
		return h.replyTo(mine)
	case <-ctx.Done():
	}
	if ws.leaveHaul(h, mine) {
		return reply{}, ws.wrap(variable, ctx.Err())
	}
	late := time.After(cancelQuick)
	select {
	case <-h.done:
	case <-late:
		return reply{}, ws.wrap(variable, unknownTo(ctx, fetchScript))
	}
	if h.err != nil {
		return reply{}, ofCaller(ctx, fetchScript, h.err)
	}
	if mine.place > 0 { // just in time
		return h.replyTo(mine)
	}
	select { // so that who calls next finds its value there
	case <-h.over:
	case <-late:
	}
	return reply{}, ws.wrap(variable, ctx.Err())
}

// leaveHaul is true if the request has not been sent.
func (ws *Workspace) leaveHaul(h *haul, f *fetcher) (unsent bool) {
	ws.fetches.mu.Lock()
	defer ws.fetches.mu.Unlock()
	if !h.sent {
		h.fetchers = slices.DeleteFunc(h.fetchers, func(other *fetcher) bool { return other == f })
		h.callers--
		return true
	}
	f.gone = true
	h.leave()
	return false
}

// replyTo is for when the request is done.
func (h *haul) replyTo(f *fetcher) (reply, error) {
	switch {
	case h.err != nil:
		return reply{}, h.err
	case f.place > 0:
		kept := &departure{haul: h, place: f.place}
		return reply{word: "VALUES", rest: []any{h.reply.rest[0], h.reply.rest[f.place]}, kept: kept}, nil
	case h.reply.word == "VALUES":
		return reply{}, nil
	}
	return h.reply, nil
}

// sendHaul goes on after a request for a variable, with those who have come meanwhile. Its caller is inside ws.calls.
func (ws *Workspace) sendHaul(variable string) {
	h := ws.fetches.end(variable)
	if h == nil {
		return
	}
	ws.calls.join()
	go func() {
		defer ws.calls.leave()
		ws.fetches.mu.Lock()
		h.sent = true
		n := len(h.fetchers)
		ws.fetches.mu.Unlock()
		var r reply
		var err error
		if n > 0 {
			q := question{script: fetchScript, variable: variable, keep: true}
			r, err = ws.try(h.ctx, q, random(), n, "")
		}
		defer ws.sendHaul(variable)
		ws.share(variable, h, r, err)
	}()
}

// share gives those who have not left their values.
func (ws *Workspace) share(variable string, h *haul, r reply, err error) {
	if r.word == "VALUES" {
		ws.fetches.note(variable, r)
	}
	ws.fetches.mu.Lock()
	h.reply, h.err = r, err
	for _, f := range h.fetchers {
		if !f.gone && r.word == "VALUES" && h.left < len(r.rest)-1 {
			h.left++
			f.place = h.left
		}
	}
	left := h.left
	ws.fetches.mu.Unlock()
	close(h.done)
	switch {
	case r.kept == nil:
		close(h.over)
	case left == 0:
		ws.land(h)
	}
}

// landed is for a caller who has used a value or not. The channel is closed when the value is back; nil if it is used.
func (ws *Workspace) landed(h *haul, place int, used bool) <-chan struct{} {
	ws.fetches.mu.Lock()
	if used {
		h.used = append(h.used, place)
	}
	h.left--
	left := h.left
	ws.fetches.mu.Unlock()
	if left == 0 {
		ws.land(h)
	}
	if used {
		return nil
	}
	return h.over
}

// land frees the lane of the request, once what was not used is back.
func (ws *Workspace) land(h *haul) {
	defer ws.calls.leave() // see request
	d := h.reply.kept
	if len(h.used) == len(h.reply.rest)-1 {
		ws.free(d, h.reply)
		close(h.over)
		return
	}
	d.places, d.done = h.used, h.over
	ws.depart(d)
}

// note remembers whether the values of a variable are large.
func (f *fetches) note(variable string, r reply) {
	large := r.size() > bulky*(len(r.rest)-1)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !large:
		delete(f.large, variable)
	case f.large == nil:
		f.large = map[string]bool{variable: true}
	default:
		f.large[variable] = true
	}
}
