package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
)

// interrupts turns signals into ends of contexts.
type interrupts struct {
	ctx, hurry  context.Context // end at the first signal, at the second
	cancel, now context.CancelCauseFunc
	hurried     atomic.Bool // somebody takes care of the second

	mu      sync.Mutex
	restore func() // makes the terminal as it was; nil if there is nothing to
}

// listenToSignals begins. It goes on to the end of the process.
func listenToSignals() *interrupts {
	i := &interrupts{}
	i.ctx, i.cancel = context.WithCancelCause(context.Background())
	i.hurry, i.now = context.WithCancelCause(context.Background())
	// SIGPIPE is only caught, so that a write to a closed pipe returns an error in place of ending the process. Were it
	// ignored, so it would be in all processes that this one starts.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	heard := make(chan os.Signal, 3)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		if !signal.Ignored(s) { // as shells have it for what runs in the background, and nohup for its program
			signal.Notify(heard, s)
		}
	}
	go func() {
		first := &signalError{<-heard}
		i.cancel(first)
		second := &signalError{<-heard}
		if !i.hurried.Load() {
			i.exit(second.code())
		}
		i.now(second)
		third := &signalError{<-heard}
		i.exit(third.code())
	}()
	return i
}

// exit ends the process at once.
func (i *interrupts) exit(code int) {
	i.atExit(nil)
	os.Exit(code)
}

// atExit has f called before the process ends in a hurry, instead of what was to be called so far. With nil, that is called now.
func (i *interrupts) atExit(f func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if f == nil && i.restore != nil {
		i.restore()
	}
	i.restore = f
}
