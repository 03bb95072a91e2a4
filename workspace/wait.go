package workspace

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/netspaces/netspaces/redisx"
)

// A blocking call registers a waiter in Redis and holds no connection while it waits. Whoever serves it publishes its
// number on this handle's channel; it then asks again. A beat every some seconds, while somebody waits, shows that the
// handle lives, and makes up for messages that were lost.
const (
	beatEvery  = 2 * time.Second // a third of what the scripts allow
	beatBatch  = 100             // variables in one script
	leaveQuick = time.Second     // a call whose context ended waits so long for Redis to know it
	hearQuick  = time.Second     // the first waiter of a handle waits so long until it can be told
)

type waiter struct {
	number   string
	variable string
	born     string // the variable's incarnation, once Redis has registered the waiter; guarded by waiting.mu
	wake     chan struct{}
}

func (w *waiter) wakeUp() {
	select {
	case w.wake <- struct{}{}:
	default: // it is awake already
	}
}

// waiting is what a handle knows of its own waiters.
type waiting struct {
	mu        sync.Mutex
	last      int
	byNumber  map[string]*waiter
	leaving   map[string]*waiter // calls that ended, while Redis does not know it
	calls     sync.WaitGroup     // those that wait or leave
	listening bool
	closed    bool
	up        bool          // the channel is subscribed to
	heard     chan struct{} // closed once it was for the first time
	unlisten  func()
}

// try asks once.
func (ws *Workspace) try(ctx context.Context, s *redisx.Script, variable string, more ...any) (reply, error) {
	args := append([]any{ws.incarnation, variable, "", "", random()}, more...)
	return ws.ask(ctx, s, variable, args)
}

// await asks until there is a reply other than WAIT, or ctx ends.
func (ws *Workspace) await(ctx context.Context, s *redisx.Script, variable string, more ...any) (reply, error) {
	if err := ctx.Err(); err != nil {
		return reply{}, ws.wrap(variable, err)
	}
	w := ws.addWaiter(variable)
	if w == nil {
		return reply{}, ws.wrap(variable, ErrClosed)
	}
	defer ws.removeWaiter(w)
	for first := true; ; first = false {
		member := ws.client + ":" + w.number
		if first && !ws.canHear() {
			member = "" // registered now, it would be passed over as one of a dead client
		}
		args := append([]any{ws.incarnation, variable, member, w.born, random()}, more...)
		r, err := ws.ask(ctx, s, variable, args)
		if err != nil {
			ws.leave(w)
			return reply{}, err
		}
		if r.word == "KEPT" {
			ws.leaveSoon(w)
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
			return reply{}, ws.wrap(variable, err)
		}
		if ws.ctx.Err() != nil {
			ws.leave(w)
			return reply{}, ws.wrap(variable, ErrClosed)
		}
	}
}

func (ws *Workspace) ask(ctx context.Context, s *redisx.Script, variable string, args []any) (reply, error) {
	r, err := ws.call(ctx, s, ws.keys.forScript(variable), args...)
	switch {
	case err != nil:
	case r.word == "DELETED":
		err = ErrVarDeleted
	case r.word == "BURIED":
		err = ErrBuried
	}
	if err != nil {
		return reply{}, ws.wrap(variable, err)
	}
	return r, nil
}

func random() string { return strconv.FormatFloat(rand.Float64(), 'f', 9, 64) }

// addWaiter returns nil if the handle is closed.
func (ws *Workspace) addWaiter(variable string) *waiter {
	q := &ws.waiting
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil
	}
	q.calls.Add(1)
	q.last++
	w := &waiter{number: strconv.Itoa(q.last), variable: variable, wake: make(chan struct{}, 1)}
	if !q.listening {
		q.listening = true
		q.byNumber, q.leaving, q.heard = map[string]*waiter{}, map[string]*waiter{}, make(chan struct{})
		q.unlisten = ws.rdb.Listen(ws.keys.inbox(ws.client), redisx.Listener{Message: ws.told, State: ws.subscribed})
		ws.running.Go(ws.beat)
		if !ws.owned {
			ws.running.Go(ws.watchOthers)
		}
	}
	q.byNumber[w.number] = w
	return w
}

func (ws *Workspace) removeWaiter(w *waiter) {
	ws.waiting.mu.Lock()
	defer ws.waiting.mu.Unlock()
	delete(ws.waiting.byNumber, w.number)
	ws.waiting.calls.Done()
}

// leave takes a waiter out of Redis. Where Redis does not answer soon, that goes on in the background, and with each beat.
func (ws *Workspace) leave(w *waiter) {
	select {
	case <-ws.leaveSoon(w):
	case <-time.After(leaveQuick):
	}
}

func (ws *Workspace) leaveSoon(w *waiter) (left chan struct{}) {
	q := &ws.waiting
	q.mu.Lock()
	q.calls.Add(1)
	q.leaving[w.number] = w
	q.mu.Unlock()

	left = make(chan struct{})
	go func() {
		defer q.calls.Done()
		defer close(left)
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		ws.leaveRedis(ctx, w)
	}()
	return left
}

func (ws *Workspace) leaveRedis(ctx context.Context, w *waiter) {
	_, err := call(ctx, ws.rdb, leaveScript, ws.keys.forScript(w.variable),
		ws.incarnation, w.variable, ws.client+":"+w.number, w.born)
	if err == nil {
		ws.waiting.mu.Lock()
		defer ws.waiting.mu.Unlock()
		delete(ws.waiting.leaving, w.number)
	}
}

// told wakes the waiters that a message names.
func (ws *Workspace) told(numbers string) {
	q := &ws.waiting
	q.mu.Lock()
	defer q.mu.Unlock()
	for number := range strings.FieldsSeq(numbers) {
		if w := q.byNumber[number]; w != nil {
			w.wakeUp()
		}
	}
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

// stopWaiting ends all calls that wait, and returns when they have.
func (ws *Workspace) stopWaiting() {
	ws.waiting.mu.Lock()
	ws.waiting.closed = true
	unlisten := ws.waiting.unlisten
	ws.waiting.mu.Unlock()
	if unlisten != nil {
		unlisten()
	}
	ws.waiting.calls.Wait()
}

func (ws *Workspace) beat() {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ws.ctx.Done():
			return
		case <-tick.C:
		}
		ws.waiting.mu.Lock()
		up := ws.waiting.up
		leaving := slices.Collect(maps.Values(ws.waiting.leaving))
		seen := map[string]bool{}
		for _, w := range ws.waiting.byNumber {
			seen[w.variable] = true
		}
		ws.waiting.mu.Unlock()

		for _, w := range leaving {
			ws.leaveRedis(ws.ctx, w)
		}
		for some := range slices.Chunk(slices.Collect(maps.Keys(seen)), beatBatch) {
			if !ws.beatFor(some) {
				up = false
			}
		}
		if !up {
			ws.wakeAll()
		}
	}
}

// beatFor beats for waiters of some variables and wakes those that missed something. False: all must ask again.
func (ws *Workspace) beatFor(variables []string) bool {
	args := []any{ws.incarnation, ws.client}
	for _, v := range variables {
		args = append(args, v)
	}
	r, err := ws.call(ws.ctx, beatScript, ws.keys.forScript(variables...), args...)
	if err != nil || r.text(0) == "1" {
		return false
	}
	born := make(map[string]string, len(variables))
	for i, v := range variables {
		born[v] = r.text(1 + 2*i)
		ws.told(r.text(2 + 2*i))
	}
	ws.waiting.mu.Lock()
	defer ws.waiting.mu.Unlock()
	for _, w := range ws.waiting.byNumber {
		if now, asked := born[w.variable]; asked && w.born != "" && w.born != now {
			w.wakeUp()
		}
	}
	return true
}
