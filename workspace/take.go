package workspace

import (
	"context"
	"sync"
	"time"
)

const (
	eatenIn = 2 * time.Millisecond  // a taker takes what its loop is likely to use up in this time
	heldFor = 50 * time.Millisecond // and keeps none of it for longer than this
)

// taker is for IFetch. What it has taken ahead goes back if the loop does not come to it.
type taker struct {
	ws    *Workspace
	taken time.Time
	given int // values since the loop began to eat what was taken last

	mu    sync.Mutex // guards what follows: a timer gives back, too
	got   reply      // what was taken last; its kept is nil if there is nothing left to do about it
	timer *time.Timer
	back  <-chan struct{} // closed when what went back is there
}

func (f *taker) next() (string, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.got.kept == nil || f.got.kept.used == len(f.got.rest)-1 {
		return "", false
	}
	return f.got.text(f.got.kept.used + 1), true
}

func (f *taker) accept() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.got.kept == nil {
		return false
	}
	f.got.kept.used++
	f.given++
	if f.got.kept.used == len(f.got.rest)-1 { // so that a loop that calls the handle itself finds a lane
		f.settle()
	}
	return true
}

func (f *taker) ask(ctx context.Context, q question, wait bool) (reply, error) {
	if back := f.putBack(); back != nil { // so that the order is kept
		select {
		case <-back:
		case <-ctx.Done():
			return reply{}, f.ws.wrap(q.variable, ctx.Err())
		case <-f.ws.ctx.Done(): // nobody tells Redis any more
			return reply{}, f.ws.wrap(q.variable, ErrClosed)
		}
	}
	n := 1
	if f.given > 0 {
		n = min(max(int(eatenIn*time.Duration(f.given)/max(time.Since(f.taken), 1)), 1), 2*f.given, mostAhead)
	}
	q.script, q.keep = fetchScript, true
	ask := f.ws.try
	if wait {
		ask = f.ws.await
	}
	r, err := ask(ctx, q, random(), n, "iterate")
	if err == nil && r.kept != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.got, f.taken, f.given, f.back = r, time.Now(), 0, nil
		if len(r.rest) > 2 {
			f.timer = time.AfterFunc(heldFor, func() { f.putBack() })
		}
	}
	return r, err
}

func (f *taker) leave() { f.ws.waitBack(f.putBack()) }

// putBack gives back what the loop has not come to. The channel is closed when it is there; nil if it was before.
func (f *taker) putBack() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.settle()
	return f.back
}

// settle ends what was taken last. f.mu is held.
func (f *taker) settle() {
	if f.timer != nil {
		f.timer.Stop()
		f.timer = nil
	}
	if f.got.kept != nil {
		f.back = f.ws.giveBack(f.got)
		f.got.kept = nil
	}
}
