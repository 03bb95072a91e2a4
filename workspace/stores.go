package workspace

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/netspaces/netspaces/redisx"
)

// Stores of many goroutines into one variable travel together: while two requests for it are under way, what is stored
// meanwhile waits for the next one, which is done in one step. So it costs Redis little more than one store.
const storesSending = 2 // requests for one variable, of those that carry stores; there are as many connections (see redisx)

// stores are those of one handle that are under way.
type stores struct {
	mu        sync.Mutex
	variables map[string]*storing
}

// storing is what is under way to one variable.
type storing struct {
	sending int
	next    *shipment // nil if nobody waits
}

// shipment is some stores that wait for a request or have one.
type shipment struct {
	parcels []*parcel // until it is sent
	values  int
	bytes   int
	done    chan struct{} // closed when err is known
	err     error
}

// parcel is one store.
type parcel struct{ texts [][]byte }

// store adds values to a variable, not more than one script takes.
func (ws *Workspace) store(ctx context.Context, variable string, texts [][]byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !ws.calls.enter() {
		return ErrClosed
	}
	defer ws.calls.leave()
	q := &ws.stores
	q.mu.Lock()
	v := q.variables[variable]
	if v == nil {
		if q.variables == nil {
			q.variables = map[string]*storing{}
		}
		v = &storing{}
		q.variables[variable] = v
	}
	if v.sending < storesSending {
		v.sending++
		q.mu.Unlock()
		defer ws.sendNext(variable, v)
		return ws.sendStore(ctx, variable, texts)
	}
	if v.next == nil {
		v.next = &shipment{done: make(chan struct{})}
	}
	s, bytes := v.next, 0
	for _, text := range texts {
		bytes += max(len(text), 1)
	}
	if s.values > 0 && (s.values+len(texts) > storeBatch || s.bytes+bytes > storeBytes) {
		q.mu.Unlock()
		return ws.sendStore(ctx, variable, texts)
	}
	mine := &parcel{texts}
	s.parcels, s.values, s.bytes = append(s.parcels, mine), s.values+len(texts), s.bytes+bytes
	q.mu.Unlock()

	select {
	case <-s.done:
		return s.err
	case <-ctx.Done():
	}
	q.mu.Lock()
	if i := slices.Index(s.parcels, mine); i >= 0 {
		s.parcels = slices.Delete(s.parcels, i, i+1)
		s.values, s.bytes = s.values-len(texts), s.bytes-bytes
		q.mu.Unlock()
		return ctx.Err()
	}
	q.mu.Unlock()
	select {
	case <-s.done:
		return s.err
	case <-time.After(cancelQuick):
		err := fmt.Errorf("its context ended while it was on its way with others: %w", ctx.Err())
		return &redisx.UnknownError{Script: storeScript.Name(), Err: err}
	}
}

// sendNext goes on after a request for a variable, with what has come meanwhile. Its caller is inside ws.calls.
func (ws *Workspace) sendNext(variable string, v *storing) {
	q := &ws.stores
	q.mu.Lock()
	defer q.mu.Unlock()
	s := v.next
	if s == nil {
		v.sending--
		if v.sending == 0 {
			delete(q.variables, variable)
		}
		return
	}
	v.next = nil
	var texts [][]byte
	for _, p := range s.parcels {
		texts = append(texts, p.texts...)
	}
	s.parcels = nil
	ws.calls.join()
	go func() {
		defer ws.calls.leave()
		defer ws.sendNext(variable, v)
		defer close(s.done)
		if len(texts) > 0 {
			s.err = ws.sendStore(context.Background(), variable, texts)
		}
	}()
}

func (ws *Workspace) sendStore(ctx context.Context, variable string, texts [][]byte) error {
	args := make([]any, len(texts))
	for i, text := range texts {
		args[i] = text
	}
	keys := ws.keysFor(variable)
	_, err := ws.request(ctx, storeScript, keys, origin{variable: variable}, args...)
	return err
}
