package sleigh

import (
	"context"
	"time"
)

// giveUpAfter is how long functions may go on after the end of their contexts when the worker is to leave at once.
const giveUpAfter = 2 * time.Second

// order is what a worker process is told.
type order string

const (
	leaveOrder order = "leave" // claim no more, and leave when what runs has ended or the time to drain is over
	nowOrder   order = "now"   // leave at once
	beatOrder  order = "beat"  // go on: who launched it is there
)

// ending says how the work of a worker came to its end.
type ending int

const (
	died     ending = iota // or its sleigh is over
	left                   // as it was told to
	replaced               // another one is to take its rank
	refused                // it may not join
)

// exitCodes are those of a worker process, which only its keeper sees. They are no usual ones, since a function may exit too.
var exitCodes = map[ending]int{left: 201, replaced: 202, refused: 203}

// serveUntil runs tasks until there is no more to do or an order comes. What runs at the end of its drain time is given
// back, also if it goes on.
func (w *Worker) serveUntil(ctx context.Context, orders <-chan order) ending {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan struct{})
	go func() {
		defer close(served)
		w.serve(ctx)
	}()
	told := false
	var drained, late <-chan time.Time
	drain := func() {
		w.leave()
		if !told {
			told, drained = true, time.After(w.drain)
		}
	}
	leave := func() {
		cancel()
		if late == nil {
			late = time.After(giveUpAfter)
		}
	}
	dismissed := w.dismissed.Done()
	for {
		select {
		case o := <-orders:
			drain()
			if o == nowOrder {
				leave()
			}
		case <-dismissed:
			dismissed = nil
			drain()
		case <-drained:
			leave()
		case <-late:
			w.abandon()
			return left
		case <-served:
			switch {
			case told:
				return left
			case w.replace.Load():
				return replaced
			}
			return died
		}
	}
}

// abandon settles what is done, and gives the rest back, although it runs. Its contexts have ended, and the process is to.
func (w *Worker) abandon() {
	for _, b := range w.activity.batches() {
		b.release()
		b.settle(nil)
		b.giveBack()
	}
}

// giveBack settles the task that runs as far as it is done, and gives back the rest.
func (b *batch) giveBack() {
	b.telling.Lock()
	defer b.telling.Unlock()
	b.mu.Lock()
	e, index := b.running, b.runs
	b.mu.Unlock()
	if e == nil {
		return
	}
	if o := e.outcome(index, false); b.tell([]outcome{o}, nil) {
		e.toldOf(o)
	}
}
