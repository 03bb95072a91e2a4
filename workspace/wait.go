package workspace

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/netspaces/netspaces/redisx"
)

// A blocking call registers a waiter in Redis and holds no connection while it waits. Whoever serves it publishes its
// number on this handle's channel; it then asks again. A beat every some seconds, while somebody waits, shows that the
// handle lives, and makes up for messages that were lost.
const hearQuick = time.Second // the first waiter of a handle waits so long until it can be told

type waiter struct {
	number   int
	variable string
	born     string // the variable's incarnation, once Redis has registered the waiter; guarded by waiting.mu
	wake     chan struct{}
	takes    string // what it takes from the message that tells it; see question.takes
	brought  *reply // what the message has brought; guarded by waiting.mu
	left     bool   // Redis has been told that it has gone
	woken    func() // called instead of wake, if it is not nil
}

// wakeUp is called while waiting.mu is held.
func (w *waiter) wakeUp() {
	if w.woken != nil {
		go w.woken()
		return
	}
	select {
	case w.wake <- struct{}{}:
	default: // it is awake already
	}
}

// member is what Redis knows it by.
func (w *waiter) member(client string) string { return client + ":" + strconv.Itoa(w.number) + w.takes }

// waiting is what a handle knows of its own waiters.
type waiting struct {
	mu        sync.Mutex
	last      int
	byNumber  map[int]*waiter
	turn      int // of looking for them in Redis, which may lose some
	leaving   map[*departure]struct{}
	beating   bool
	listening bool
	up        bool          // the channel is subscribed to
	lapses    string        // what the last beat said of the times that the client was taken for dead
	heard     chan struct{} // closed once it was for the first time
	unlisten  func()
}

// question is what a caller wants of a variable.
type question struct {
	script   *redisx.Script
	variable string
	born     string // the variable's incarnation, if the caller has asked for it before
	keep     bool   // whether the caller may want to give some of the values back (see reply.kept)
	one      bool   // it takes one value, so that others may come with it (see come.go)

	// asked, if it is not nil, is told each reply.
	asked func(reply)

	// takes says that a message may bring the reply: "=" for what takes nothing away, "=" and a lease in milliseconds for a
	// claim. A fetch has to come for its value, since that may go to somebody else while this process is stopped.
	takes string

	woken func() // is called instead of waking the caller, if it is not nil
}

// try asks once.
func (ws *Workspace) try(ctx context.Context, q question, more ...any) (reply, error) {
	return ws.ask(ctx, q, nil, append([]any{"", q.born}, more...)...)
}

// await asks until there is a reply other than WAIT, or ctx ends.
func (ws *Workspace) await(ctx context.Context, q question, more ...any) (reply, error) {
	if err := ctx.Err(); err != nil {
		return reply{}, ws.wrap(q.variable, err)
	}
	w := ws.addWaiter(q)
	if w == nil {
		return reply{}, ws.wrap(q.variable, ErrClosed)
	}
	defer ws.removeWaiter(w)
	for first := true; ; first = false {
		if r, ok := ws.takeBrought(w); ok {
			used := 0
			if r.word == "CLAIM" {
				used = 1
			}
			ws.depart(&departure{variable: q.variable, waiter: w, used: used})
			return r, nil
		}
		member := w.member(ws.client)
		if first && !ws.canHear() {
			member = "" // registered now, it would be passed over as one of a dead client
		}
		ask := ws.ask
		if q.one && !first && w.born != "" {
			ask = ws.come
		}
		r, err := ask(ctx, q, w, append([]any{member, w.born}, more...)...)
		if err != nil {
			if !first && !w.left {
				ws.leave(w)
			}
			return reply{}, err
		}
		if r.word == "STALE" { // what was claimed has been settled by others before we heard of it
			continue
		}
		if r.word == "KEPT" {
			ws.depart(&departure{variable: q.variable, waiter: w})
		}
		if r.word != "WAIT" && r.word != "EMPTY" {
			return r, nil
		}
		var late <-chan time.Time
		wake := (<-chan struct{})(w.wake)
		ws.waiting.mu.Lock()
		w.born = r.text(0)
		ws.waiting.mu.Unlock()
		if r.word == "EMPTY" {
			wake, late = ws.waiting.heard, time.After(hearQuick)
		}
		select {
		case <-wake:
		case <-late:
		case <-ctx.Done():
		case <-ws.ctx.Done():
		}
		if err := ctx.Err(); err != nil {
			ws.leave(w)
			return reply{}, ws.wrap(q.variable, err)
		}
		if ws.ctx.Err() != nil {
			ws.leave(w)
			return reply{}, ws.wrap(q.variable, ErrClosed)
		}
	}
}

func (ws *Workspace) ask(ctx context.Context, q question, w *waiter, args ...any) (reply, error) {
	r, err := ws.request(ctx, q.script, ws.keysFor(q.variable), origin{q.variable, w, q.keep}, args...)
	if q.asked != nil {
		q.asked(r)
	}
	return ws.understood(q, r, err)
}

func random() string { return strconv.FormatFloat(rand.Float64(), 'f', 9, 64) }

func (q *waiting) init() {
	q.byNumber, q.leaving, q.heard = map[int]*waiter{}, map[*departure]struct{}{}, make(chan struct{})
	q.lapses = "1 0" // if its first introduction succeeds
}

// addWaiter returns nil if the handle is closed.
func (ws *Workspace) addWaiter(question question) *waiter {
	if !ws.calls.enter() {
		return nil
	}
	q := &ws.waiting
	q.mu.Lock()
	defer q.mu.Unlock()
	q.last++
	w := &waiter{number: q.last, variable: question.variable, born: question.born, takes: question.takes,
		woken: question.woken, wake: make(chan struct{}, 1)}
	if !q.listening {
		q.listening = true
		q.unlisten = ws.rdb.Listen(ws.keys.inbox(ws.client), redisx.Listener{Message: ws.told, State: ws.subscribed})
	}
	q.byNumber[w.number] = w
	return w
}

func (ws *Workspace) removeWaiter(w *waiter) {
	ws.waiting.mu.Lock()
	defer ws.waiting.mu.Unlock()
	delete(ws.waiting.byNumber, w.number)
	ws.calls.leave()
}

// leave takes a waiter out of Redis. Where Redis does not answer soon, that goes on in the background, and with each beat.
func (ws *Workspace) leave(w *waiter) {
	select {
	case <-ws.depart(&departure{variable: w.variable, waiter: w}):
	case <-time.After(cancelQuick):
	}
}

// told wakes the waiters that a message names, and hands them the reply that it may bring.
func (ws *Workspace) told(message string) {
	names, text, brings := strings.Cut(message, "\n")
	var brought *reply
	if r, ok := unpack(text); brings && ok {
		brought = &r
	}
	q := &ws.waiting
	var called []func()
	q.mu.Lock()
	for name := range strings.FieldsSeq(names) {
		number, _, _ := strings.Cut(name, "=")
		n, err := strconv.Atoi(number)
		if w := q.byNumber[n]; w != nil && err == nil {
			if w.takes != "" && w.brought == nil {
				w.brought = brought
			}
			if w.woken != nil {
				called = append(called, w.woken)
			} else {
				w.wakeUp()
			}
		}
	}
	q.mu.Unlock()
	for _, woken := range called {
		woken()
	}
}

func (ws *Workspace) takeBrought(w *waiter) (reply, bool) {
	ws.waiting.mu.Lock()
	defer ws.waiting.mu.Unlock()
	if w.brought == nil {
		return reply{}, false
	}
	return *w.brought, true
}

// subscribed has all waiters ask again once the channel is subscribed to: what was published before was missed.
func (ws *Workspace) subscribed(up bool) {
	if up && !ws.canHear() {
		close(ws.waiting.heard)
	}
	ws.waiting.mu.Lock()
	ws.waiting.up = up
	ws.waiting.mu.Unlock()
	if up {
		ws.wakeAll()
	}
}

// canHear reports whether the channel was subscribed to at any time.
func (ws *Workspace) canHear() bool {
	select {
	case <-ws.waiting.heard:
		return true
	default:
		return false
	}
}

func (ws *Workspace) wakeAll() {
	ws.waiting.mu.Lock()
	defer ws.waiting.mu.Unlock()
	for _, w := range ws.waiting.byNumber {
		w.wakeUp()
	}
}

// stopListening is for the end of the handle.
func (ws *Workspace) stopListening() {
	ws.waiting.mu.Lock()
	unlisten := ws.waiting.unlisten
	ws.waiting.mu.Unlock()
	if unlisten != nil {
		unlisten()
	}
}
