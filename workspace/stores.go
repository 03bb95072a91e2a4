package workspace

import (
	"context"
	"slices"
	"time"
)

// shipment is stores of some goroutines into one variable that wait for a request, or have one. The mutex of ws.stores guards
// what it has before that is done.
type shipment struct {
	passage
	parcels []*batch // until it is sent, in the order in which they came
	values  int
	bytes   int
	err     error // once it is done
}

// store adds values to a variable.
func (ws *Workspace) store(ctx context.Context, variable string, b batch) error {
	if err := ws.storeTogether(ctx, variable, b); err != nil {
		return ws.wrap(variable, err)
	}
	return nil
}

func (ws *Workspace) storeTogether(ctx context.Context, variable string, b batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !ws.calls.enter() {
		return ErrClosed
	}
	defer ws.calls.leave()
	var with *shipment
	alone := ws.stores.begin(variable, func(next **shipment) {
		if *next == nil {
			*next = newShipment()
		}
		if (*next).takes(&b) {
			with = *next
		}
	})
	switch {
	case alone:
		defer ws.sendShipment(variable)
		return ws.sendStore(ctx, variable, b)
	case with == nil: // it is as much as one script takes, with what is there
		return ws.sendStore(ctx, variable, b)
	}
	select {
	case <-with.done:
		return with.err
	case <-ctx.Done():
	}
	if ws.leaveShipment(with, &b) {
		return ctx.Err()
	}
	select {
	case <-with.done:
		return ofCaller(ctx, storeScript, with.err)
	case <-time.After(cancelQuick):
		return unknownTo(ctx, storeScript)
	}
}

func newShipment() *shipment { return &shipment{passage: newPassage()} }

// takes adds a parcel if there is room for it.
func (s *shipment) takes(b *batch) bool {
	if s.callers > 0 && (s.values+len(b.texts) > storeBatch || s.bytes+b.bytes > storeBytes) {
		return false
	}
	s.add(b, 1)
	s.parcels = append(s.parcels, b)
	return true
}

func (s *shipment) add(b *batch, times int) {
	s.callers += times
	s.values += times * len(b.texts)
	s.bytes += times * b.bytes
}

// leave is for a caller whose context has ended. It is true if its parcel has not been sent, and stays.
func (ws *Workspace) leaveShipment(s *shipment, b *batch) (stays bool) {
	ws.stores.mu.Lock()
	defer ws.stores.mu.Unlock()
	i := slices.Index(s.parcels, b)
	if i < 0 {
		s.leave()
		return false
	}
	s.parcels = slices.Delete(s.parcels, i, i+1)
	s.add(b, -1)
	return true
}

// sendShipment goes on after a request for a variable, with what has come meanwhile. Its caller is inside ws.calls.
func (ws *Workspace) sendShipment(variable string) {
	s := ws.stores.end(variable)
	if s == nil {
		return
	}
	ws.calls.join()
	go func() {
		defer ws.calls.leave()
		defer ws.sendShipment(variable)
		defer close(s.done)
		if all := ws.load(s); len(all.texts) > 0 {
			s.err = ws.sendStore(s.ctx, variable, all)
		}
	}()
}

// load takes the parcels, which cannot stay behind from then on.
func (ws *Workspace) load(s *shipment) batch {
	ws.stores.mu.Lock()
	defer ws.stores.mu.Unlock()
	all := batch{texts: make([]any, 0, s.values)}
	for _, b := range s.parcels {
		all.texts = append(all.texts, b.texts...)
	}
	s.parcels = nil
	return all
}

func (ws *Workspace) sendStore(ctx context.Context, variable string, b batch) error {
	_, err := ws.request(ctx, storeScript, ws.keysFor(variable), origin{variable: variable}, b.texts...)
	return err
}
