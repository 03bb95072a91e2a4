package workspace

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/netspaces/netspaces/redisx"
)

const (
	// watchPause is from a change to the next look; it is longer than scripts keep quiet after they told of one.
	watchPause = 100 * time.Millisecond
	watchBeat  = 2 * time.Second // between two looks where nothing is heard: for what is written by hand
	watchedFor = time.Minute     // that the scripts tell of changes without being asked again
)

// Watch gives the variables of the workspace, or those of these names that there are, as ListVars does: now, and again each
// time that they have changed, at most some ten times a second, until ctx ends. Several changes may come as one. What is
// written by hand shows within some seconds. Its errors are those of ListVars; it ends at the first.
func (ws *Workspace) Watch(ctx context.Context, variables ...string) iter.Seq2[[]VarInfo, error] {
	return func(yield func([]VarInfo, error) bool) {
		heard := make(chan struct{}, 1)
		wake := func() {
			select {
			case heard <- struct{}{}:
			default:
			}
		}
		stop := ws.rdb.Listen(ws.keys.changes(), redisx.Listener{
			Message: func(string) { wake() },
			State:   func(bool) { wake() },
		})
		defer stop()

		var last []VarInfo
		var asked time.Time
		for first := true; ; first = false {
			began := time.Now()
			if began.Sub(asked) > watchedFor/3 {
				_, err := ws.call(ctx, watchScript, ws.keys.forScript(ws.client), ws.incarnation, watchedFor.Milliseconds())
				if err != nil {
					yield(nil, ws.wrap("", err))
					return
				}
				asked = began
			}
			infos, err := ws.describe(ctx, variables)
			if err != nil {
				yield(nil, err)
				return
			}
			if (first || !slices.Equal(infos, last)) && !yield(slices.Clone(infos), nil) {
				return
			}
			last = infos
			took := time.Since(began)
			err = ws.pause(ctx, watchBeat, heard)
			if err == nil {
				// One that takes long to look at is not looked at all the time.
				err = ws.pause(ctx, max(watchPause, took), nil)
			}
			if err != nil {
				yield(nil, ws.wrap("", err))
				return
			}
		}
	}
}

// pause waits for so long, or until something is heard.
func (ws *Workspace) pause(ctx context.Context, most time.Duration, heard <-chan struct{}) error {
	select {
	case <-heard:
	case <-time.After(most):
	case <-ctx.Done():
		return ctx.Err()
	case <-ws.ctx.Done():
		return ErrClosed
	}
	return nil
}
