package workspace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/netspaces/netspaces/redisx"
)

const (
	minLease     = 100 * time.Millisecond
	closeTimeout = 5 * time.Second
	sweepEvery   = 20 * time.Second
	firstListing = time.Minute     // for which a workspace that is about to be made is listed
	madeWithin   = 2 * time.Second // after it was listed, a workspace is made or not at all
	deleteBatch  = 100             // variables or clients deleted in one script
)

// holdLease renews the owner's lease until the handle closes: three times as often as it must, and in any case between two
// looks of those who clean up (see watchOthers).
func (ws *Workspace) holdLease() {
	tick := time.NewTicker(min(ws.lease/3, sweepEvery/2))
	defer tick.Stop()
	for {
		select {
		case <-ws.ctx.Done():
			return
		case <-tick.C:
		}
		r, err := ws.call(ws.ctx, renewScript, ws.keys.forScript(ws.client),
			ws.incarnation, ws.client, ws.lease.Milliseconds())
		if errors.Is(err, ErrNoWorkspace) {
			return // deleted: each call says so
		}
		if err == nil && r.word == "OK" && !ws.persistent {
			_ = list(ws.ctx, ws.rdb, ws.name, r.score(0)) // what fails here is tried again at the next tick
		}
	}
}

// list notes when others should look whether the owner of a workspace is dead.
func list(ctx context.Context, rdb *redisx.Client, name string, lease float64) error {
	_, err := plain(ctx, rdb, "ZADD", namesKey, formatScore(lease), name)
	return err
}

// unlist takes a workspace off the list if it is not there.
func unlist(ctx context.Context, rdb *redisx.Client, name string) error {
	score, err := plain(ctx, rdb, "ZSCORE", namesKey, name)
	if err != nil || score == nil {
		return err
	}
	if there, err := plain(ctx, rdb, "EXISTS", keysOf(name).workspace()); there != int64(0) || err != nil {
		return err
	}
	if _, err := call(ctx, rdb, unregisterScript, []string{namesKey}, name, score); err != nil {
		return err
	}
	there, err := plain(ctx, rdb, "EXISTS", keysOf(name).workspace())
	if there == int64(1) && err == nil { // made again in this moment
		_, err = plain(ctx, rdb, "ZADD", namesKey, "NX", score, name)
	}
	return err
}

// Sweep deletes the workspaces whose owners died, as Open and Use do by the way, and returns their names. Where one cannot be
// deleted, it is left to whoever sweeps next. It blocks for some round trips, and for some more for each.
func Sweep(ctx context.Context, rdb *redisx.Client) ([]string, error) {
	var all []string
	for {
		deleted, err := sweep(ctx, rdb, func(string, string) bool { return true })
		all = append(all, deleted...)
		if err != nil || len(deleted) == 0 {
			slices.Sort(all)
			return slices.Compact(all), err
		}
	}
}

// sweep deletes workspaces whose owners died, those that sure says, some at a time, and returns their names.
func sweep(ctx context.Context, rdb *redisx.Client, sure func(name, score string) bool) (deleted []string, err error) {
	found, err := rdb.Run(ctx, endedScript, []string{namesKey})
	if err != nil {
		return nil, err
	}
	pairs, _ := found.([]any)
	for i := 0; i+1 < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		score, _ := pairs[i+1].(string)
		if !sure(name, score) {
			continue
		}
		// One that cannot be deleted must not keep others from their work; it is tried again by whoever sweeps next.
		switch err := remove(ctx, rdb, name, "", "ended"); {
		case err == nil:
			deleted = append(deleted, name)
		case ctx.Err() != nil:
			return deleted, err
		}
	}
	return deleted, nil
}

// watchOthers sweeps now and then, for a handle that owns or waits. It deletes only what it saw ended the last time too:
// after a suspended machine wakes up, all leases seem to have ended, and their owners need a moment to renew them.
func (ws *Workspace) watchOthers() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	suspects := map[string]string{}
	for {
		select {
		case <-ws.ctx.Done():
			return
		case <-tick.C:
		}
		last := suspects
		suspects = map[string]string{}
		// What fails here is tried again at the next tick.
		_, _ = sweep(ws.ctx, ws.rdb, func(name, score string) bool {
			suspects[name] = score
			return last[name] == score
		})
	}
}

// errHeld says that the owner of a workspace lives.
var errHeld = errors.New("its owner lives")

// remove deletes a workspace and takes it off the list: the given incarnation or, if that is empty, whichever there is.
// why is empty, or "ended" to delete it only if it is left of an owner that died, and else to return errHeld.
func remove(ctx context.Context, rdb *redisx.Client, name, incarnation, why string) error {
	k := keysOf(name)
	var variables, clients []string
	for {
		some, others := variables[:min(len(variables), deleteBatch)], clients[:min(len(clients), deleteBatch)]
		variables, clients = variables[len(some):], clients[len(others):]
		keys, args := k.forScript("", some...), []any{incarnation, why, len(some)}
		for _, v := range some {
			args = append(args, v)
		}
		for _, c := range others {
			keys, args = append(keys, k.client(c)), append(args, c)
		}
		r, err := call(ctx, rdb, deleteScript, keys, args...)
		if err != nil {
			return err
		}
		switch r.word {
		case "HELD": // it lives; the list was not up to date
			return cmp.Or(list(ctx, rdb, name, r.score(0)), errHeld)
		case "VERSION":
			return versionError(name, r.text(0))
		case "OK", "GONE":
			// One that is merely being made is listed before it is there: that is left to whoever makes it.
			if r.word == "OK" || why == "ended" {
				err = unlist(ctx, rdb, name)
			}
			if err == nil && r.word == "GONE" {
				err = fmt.Errorf("workspace %q: %w", name, ErrNoWorkspace)
			}
			return err
		}
		why = "rest" // MORE
		if len(variables)+len(clients) == 0 {
			if variables, err = texts(plain(ctx, rdb, "HKEYS", k.variables())); err != nil {
				return err
			}
			if clients, err = texts(plain(ctx, rdb, "ZRANGE", k.live(), 0, -1)); err != nil {
				return err
			}
		}
	}
}

func formatScore(score float64) string {
	if math.IsInf(score, 1) {
		return "inf"
	}
	return strconv.FormatFloat(score, 'f', -1, 64)
}
