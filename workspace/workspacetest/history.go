package workspacetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/netspaces/netspaces/workspace"
)

// Sizes of one history. Checking one takes the longer, the more calls on a variable are under way at a time, or end without
// that it is known what became of them.
const (
	callers = 6 // goroutines
	calls   = 50
)

// HistoryOptions say how histories are made. Nil stands for all defaults.
type HistoryOptions struct {
	// Seed is where the choices of a history come from; what the network and the scheduler do, does not. Defaults to 1.
	Seed uint64
	// Calls is how many each of the callers makes. Defaults to 50.
	Calls int
}

// History has goroutines on several clients call a workspace while the stage breaks what it can, and asks porcupine whether
// each variable behaved as if one call had come after the other. It is Illegal if a value was lost, doubled, out of its
// order, or taken by a call whose context had ended.
//
// The test fails for an error that no call should return. It does not for Illegal, so that it can be tested that it is seen;
// then t has a picture of the history among its artifacts.
func History(t testing.TB, stage *Stage, opts *HistoryOptions) porcupine.CheckResult {
	t.Helper()
	var o HistoryOptions
	if opts != nil {
		o = *opts
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Calls == 0 {
		o.Calls = calls
	}
	h := &history{TB: t, recorder: newRecorder(), stage: stage, seed: o.Seed, calls: o.Calls}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	h.play(ctx)
	ops := h.finish(h.rest)
	began := time.Now()
	result, bad := checkHistory(ops)
	t.Logf("seed %d: %s; %d steps in %v, checked in %v; %v; %s", h.seed, result, len(ops),
		time.Duration(h.rest).Round(time.Millisecond), time.Since(began).Round(time.Millisecond), h.outcomes, stage.Seen())
	for _, err := range h.strange {
		t.Error(err)
	}
	if result != porcupine.Ok {
		h.draw(bad)
	}
	return result
}

// history is one that is being made.
type history struct {
	testing.TB
	*recorder
	stage *Stage
	seed  uint64
	calls int
	rest  int64 // when all clients had ended
}

// script is what is done with one variable.
type script struct {
	name string
	mode workspace.Mode // declared before; empty for one that is made, deleted and made anew
}

func (h *history) variables() []script {
	return []script{{name: "fifo", mode: workspace.FIFO}, {name: "lifo", mode: workspace.LIFO},
		{name: "multi", mode: workspace.Multi}, {name: "single", mode: workspace.Single}, {name: "undeclared"}}
}

// play has all calls made, and takes what is left.
func (h *history) play(ctx context.Context) {
	name := fmt.Sprintf("history%d", h.seed)
	owner, err := workspace.Open(ctx, h.stage.Calm, name, nil)
	if err != nil {
		h.Fatal(err)
	}
	defer func() {
		if err := owner.Close(); err != nil {
			h.Error(err)
		}
	}()
	for _, v := range h.variables() {
		if v.mode != "" {
			h.declare(ctx, 0, owner, v.name, v.mode)
		}
	}

	var handles []*workspace.Workspace
	for _, rdb := range h.stage.Clients {
		ws, err := workspace.Use(ctx, rdb, name, false)
		if err != nil {
			h.Fatal(err)
		}
		handles = append(handles, ws)
	}
	h.stage.begin(h.seed)
	var all sync.WaitGroup
	for i := range callers {
		rng := rand.New(rand.NewPCG(h.seed, uint64(i+1)))
		all.Go(func() {
			for range h.calls {
				h.one(ctx, i+1, handles[i%len(handles)], rng)
			}
		})
	}
	all.Wait()
	h.stage.end()
	for _, ws := range handles {
		if err := ws.Close(); err != nil {
			h.Error(err)
		}
	}
	h.rest = h.now()
	h.drain(ctx, owner)
}

// one makes one call. Its context may end at any time, and does after a second at the latest.
func (h *history) one(ctx context.Context, client int, ws *workspace.Workspace, rng *rand.Rand) {
	limit := time.Second
	if rng.IntN(3) == 0 {
		limit = time.Duration(rng.IntN(30_000)) * time.Microsecond
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	all := h.variables()
	v := all[rng.IntN(len(all))]
	if v.mode == "" && rng.IntN(5) == 0 {
		if rng.IntN(3) == 0 {
			h.declare(ctx, client, ws, v.name, allModes[rng.IntN(len(allModes))])
		} else {
			h.deleteVar(ctx, client, ws, v.name)
		}
		return
	}
	// More is asked for than is stored: where many values lie, it is seen late in which order they were stored, and hard to
	// check.
	switch n := rng.IntN(20); {
	case n < 7:
		h.store(ctx, client, ws, v.name, 1+max(0, rng.IntN(6)-3))
	case n < 12:
		h.fetch(ctx, client, ws, v.name, true, false)
	case n < 15:
		h.fetch(ctx, client, ws, v.name, true, true)
	case n < 18:
		h.fetch(ctx, client, ws, v.name, false, false)
	default:
		h.fetch(ctx, client, ws, v.name, false, true)
	}
}

// drain takes all that is left, so that what was lost is missed.
func (h *history) drain(ctx context.Context, ws *workspace.Workspace) {
	for _, v := range h.variables() {
		for {
			id := h.fresh(1)[0]
			var value rune
			c := h.begin(ctx, 0, v.name)
			ok, err := ws.TryFetch(ctx, v.name, &value)
			if o := c.end("drain", err); o != done {
				h.Fatal(errors.Join(fmt.Errorf("taking what is left: %s", o), err))
			}
			if !ok {
				c.did(step{kind: empty, call: id})
				break
			}
			c.did(step{kind: fetched, value: value, call: id})
		}
	}
}
