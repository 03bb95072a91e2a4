package workspace

import (
	"context"
)

const maxFetch = 1000 // values taken by one script

// Store adds a value to a variable, which is then fifo if it was not declared. A value is converted to JSON; []byte and
// json.RawMessage are stored as they are. Every waiting Find and IFind gets the value; then the Fetch that has waited
// longest takes it; else it stays. It blocks for a round trip.
// It returns ErrNoWorkspace, ErrValue, ErrClosed or ctx.Err(), and then has stored nothing, or a *redisx.UnknownError if
// it is not known whether it has, since Redis does not answer.
func (ws *Workspace) Store(ctx context.Context, variable string, value any) error {
	text, err := encode(value)
	if err != nil {
		return ws.wrap(variable, err)
	}
	return ws.store(ctx, variable, batchOf(text))
}

// StoreAll is Store for many values, one after the other, in few round trips. If one of them does not convert, none is
// stored; if the connection fails in the middle, the first ones are.
func (ws *Workspace) StoreAll(ctx context.Context, variable string, values ...any) error {
	all, err := encodeAll(values)
	if err != nil {
		return ws.wrap(variable, err)
	}
	for len(all.values) > 0 {
		if err := ctx.Err(); err != nil { // a copy of the last batch may still be on its way
			return ws.wrap(variable, err)
		}
		if err := ws.store(ctx, variable, all.cut()); err != nil {
			return err
		}
	}
	return nil
}

// Fetch takes one value out of a variable and puts it where into, a pointer, points. It blocks until there is one or ctx
// ends; callers that wait are served in the order in which they began to, on whichever machine. It returns ErrNoWorkspace,
// ErrVarDeleted, ErrValue if the value does not convert, ErrClosed, ErrBuried or ctx.Err(), and then has taken nothing.
func (ws *Workspace) Fetch(ctx context.Context, variable string, into any) error {
	r, err := ws.fetch(ctx, variable, true)
	if err != nil {
		return err
	}
	return ws.use(variable, r, func(text string) error { return decode(text, into) })
}

// FetchN takes up to n values, 1000 at the most, as they are in Redis. It waits until there is at least one, and takes what
// is there. Otherwise it is as Fetch.
func (ws *Workspace) FetchN(ctx context.Context, variable string, n int) ([][]byte, error) {
	return NewVar[[]byte](ws, variable).FetchN(ctx, n)
}

// use has f take over the values of a reply, one after the other. From the first that it fails at, they go back.
func (ws *Workspace) use(variable string, r reply, f func(text string) error) error {
	defer func() { ws.waitBack(ws.giveBack(r)) }() // also when f panics
	for r.kept.used < len(r.rest)-1 {
		if err := f(r.text(r.kept.used + 1)); err != nil {
			return ws.wrap(variable, err)
		}
		r.kept.used++
	}
	return nil
}

// Find reads one value of a variable and leaves it there: the oldest one if the variable is fifo, the youngest if it is
// lifo or single, any if it is multi. Otherwise it is as Fetch.
func (ws *Workspace) Find(ctx context.Context, variable string, into any) error {
	r, err := ws.await(ctx, question{script: findScript, variable: variable, takes: "="}, random())
	if err != nil {
		return err
	}
	return ws.decode(variable, r, into)
}

// TryFetch is Fetch that does not wait: it returns false where there is no value. It blocks for a round trip.
func (ws *Workspace) TryFetch(ctx context.Context, variable string, into any) (bool, error) {
	r, err := ws.fetch(ctx, variable, false)
	if err != nil || r.word == "EMPTY" {
		return false, err
	}
	err = ws.use(variable, r, func(text string) error { return decode(text, into) })
	return err == nil, err
}

// TryFind is Find that does not wait: it returns false where there is no value. It blocks for a round trip.
func (ws *Workspace) TryFind(ctx context.Context, variable string, into any) (bool, error) {
	r, err := ws.look(ctx, question{script: findScript, variable: variable}, random())
	if err != nil || r.word == "EMPTY" {
		return false, err
	}
	err = ws.decode(variable, r, into)
	return err == nil, err
}

func (ws *Workspace) decode(variable string, r reply, into any) error {
	if err := decode(r.text(1), into); err != nil {
		return ws.wrap(variable, err)
	}
	return nil
}
