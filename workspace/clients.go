package workspace

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	clientBatch = 500   // clients, or variables, that one script is asked about
	waitersMost = 10000 // waiting calls that it looks at
)

// ClientInfo describes a client: a handle of the workspace, in any process, which has done something with it.
type ClientInfo struct {
	Name    string // as Client tells it
	Host    string
	PID     int
	Program string
	// Seen is the time since its last sign of life, which it gives every 2 s while it waits, and every minute otherwise. By the
	// clock of Redis.
	Seen  time.Duration
	Waits []Wait // in the order of the variables' names
}

// Wait says how many calls of a client wait for a variable.
type Wait struct {
	Variable string
	Fetchers int // waiting in Fetch, IFetch or Claim
	Finders  int // waiting in Find or IFind
}

// ListClients describes who works with the workspace and what they wait for, in the order of their names. It blocks for two
// round trips; each client is described as it is at one moment, but not all at the same. Of very many calls that wait, not all
// are counted: 10,000 for each 500 variables.
func (ws *Workspace) ListClients(ctx context.Context) ([]ClientInfo, error) {
	var names, variables []string
	err := together(
		func() (err error) {
			names, err = texts(plain(ctx, ws.rdb, "ZRANGE", ws.keys.live(), 0, -1))
			return err
		},
		func() (err error) {
			variables, err = texts(plain(ctx, ws.rdb, "HKEYS", ws.keys.variables()))
			return err
		},
	)
	if err != nil {
		return nil, ws.wrap("", err)
	}
	var mu sync.Mutex
	known, waits := map[string]ClientInfo{}, map[string][]Wait{}
	asks := []func() error{func() error { // asked at least once, since the workspace may be gone
		_, err := ws.clients(ctx, nil)
		return err
	}}
	for some := range slices.Chunk(names, clientBatch) {
		asks = append(asks, func() error {
			infos, err := ws.clients(ctx, some)
			mu.Lock()
			defer mu.Unlock()
			for _, info := range infos {
				known[info.Name] = info
			}
			return err
		})
	}
	for some := range slices.Chunk(variables, clientBatch) {
		asks = append(asks, func() error {
			found, err := ws.waiters(ctx, some)
			mu.Lock()
			defer mu.Unlock()
			for client, w := range found {
				waits[client] = append(waits[client], w...)
			}
			return err
		})
	}
	if err := together(asks...); err != nil {
		return nil, ws.wrap("", err)
	}
	infos := slices.SortedFunc(maps.Values(known), func(a, b ClientInfo) int { return cmp.Compare(a.Name, b.Name) })
	for i := range infos {
		w := waits[infos[i].Name]
		slices.SortFunc(w, func(a, b Wait) int { return cmp.Compare(a.Variable, b.Variable) })
		infos[i].Waits = w
	}
	return infos, nil
}

// together asks all at once: calls that are made together travel together.
func together(asks ...func() error) error {
	errs := make([]error, len(asks))
	var asking sync.WaitGroup
	for i, ask := range asks {
		asking.Go(func() { errs[i] = ask() })
	}
	asking.Wait()
	return errors.Join(errs...)
}

// clients describes clients, but for what they wait for.
func (ws *Workspace) clients(ctx context.Context, names []string) ([]ClientInfo, error) {
	keys, args := ws.keys.forScript(ws.client), []any{ws.incarnation}
	for _, name := range names {
		keys, args = append(keys, ws.keys.client(name)), append(args, name)
	}
	r, err := ws.call(ctx, clientsScript, keys, args...)
	if err != nil {
		return nil, err
	}
	var infos []ClientInfo
	for i, name := range names {
		if r.text(4*i) == "" {
			continue // it has gone since
		}
		infos = append(infos, ClientInfo{
			Name: name, Seen: time.Duration(r.number(4*i)) * time.Millisecond,
			Host: r.text(4*i + 1), PID: r.number(4*i + 2), Program: r.text(4*i + 3),
		})
	}
	return infos, nil
}

// waiters says which of these variables clients wait for, by the names of the clients.
func (ws *Workspace) waiters(ctx context.Context, variables []string) (map[string][]Wait, error) {
	keys := ws.keys.forScript(ws.client)
	for _, name := range variables {
		keys = append(keys, ws.keys.of("waiters", name))
	}
	r, err := ws.call(ctx, waitersScript, keys, ws.incarnation, waitersMost)
	if err != nil {
		return nil, err
	}
	found := map[string][]Wait{}
	for at := 0; at < len(r.rest); {
		variable := variables[min(r.number(at), len(variables)-1)]
		clients := r.number(at + 1)
		at += 2
		for range clients {
			found[r.text(at)] = append(found[r.text(at)], Wait{variable, r.number(at + 1), r.number(at + 2)})
			at += 3
		}
	}
	return found, nil
}
