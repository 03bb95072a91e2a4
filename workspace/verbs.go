package workspace

import (
	"context"
)

// What one script stores at the most, but for at least one value.
const (
	storeBatch = 1000 // values
	storeBytes = 16 << 20
)

// Store adds a value to a variable, which is then fifo if it was not declared. A value is converted to JSON; []byte and
// json.RawMessage are stored as they are. Every waiting Find gets the value; then the Fetch that has waited longest takes
// it; else it stays. It blocks for a round trip.
// It returns ErrNoWorkspace, ErrValue, ErrClosed or ctx.Err(), and then has stored nothing, or a *redisx.UnknownError if
// it is not known whether it has, since Redis does not answer.
func (ws *Workspace) Store(ctx context.Context, variable string, value any) error {
	return ws.StoreAll(ctx, variable, value)
}

// StoreAll is Store for many values, one after the other, in few round trips. If one of them does not convert, none is
// stored; if the connection fails in the middle, the first ones are.
func (ws *Workspace) StoreAll(ctx context.Context, variable string, values ...any) error {
	texts := make([][]byte, len(values))
	for i, value := range values {
		var err error
		if texts[i], err = encode(value); err != nil {
			return ws.wrap(variable, err)
		}
	}
	for len(texts) > 0 {
		args := []any{}
		size := 0
		for len(texts) > 0 && len(args) < storeBatch && (size == 0 || size+len(texts[0]) <= storeBytes) {
			args = append(args, texts[0])
			size += max(len(texts[0]), 1)
			texts = texts[1:]
		}
		if _, err := ws.request(ctx, storeScript, ws.keys.forScript(ws.client, variable), nil, variable, args...); err != nil {
			return ws.wrap(variable, err)
		}
	}
	return nil
}

// Fetch takes one value out of a variable and puts it where into, a pointer, points. It blocks until there is one or ctx
// ends; callers that wait are served in the order in which they began to, on whichever machine. When ctx ends, no value is
// taken. It returns ErrNoWorkspace, ErrVarDeleted, ErrValue if the value does not convert (it is taken all the same),
// ErrClosed, ErrBuried or ctx.Err().
func (ws *Workspace) Fetch(ctx context.Context, variable string, into any) error {
	r, err := ws.await(ctx, fetchScript, variable, "", random(), 1, "")
	if err != nil {
		return err
	}
	return ws.decode(variable, r, into)
}

// Find reads one value of a variable and leaves it there: the oldest one if the variable is fifo, the youngest if it is
// lifo or single, any if it is multi. Otherwise it is as Fetch.
func (ws *Workspace) Find(ctx context.Context, variable string, into any) error {
	r, err := ws.await(ctx, findScript, variable, "", random())
	if err != nil {
		return err
	}
	return ws.decode(variable, r, into)
}

// TryFetch is Fetch that does not wait: it returns false where there is no value. It blocks for a round trip.
func (ws *Workspace) TryFetch(ctx context.Context, variable string, into any) (bool, error) {
	r, err := ws.try(ctx, fetchScript, variable, "", random(), 1, "")
	if err != nil || r.word == "EMPTY" {
		return false, err
	}
	return true, ws.decode(variable, r, into)
}

// TryFind is Find that does not wait: it returns false where there is no value. It blocks for a round trip.
func (ws *Workspace) TryFind(ctx context.Context, variable string, into any) (bool, error) {
	r, err := ws.try(ctx, findScript, variable, "", random())
	if err != nil || r.word == "EMPTY" {
		return false, err
	}
	return true, ws.decode(variable, r, into)
}

func (ws *Workspace) decode(variable string, r reply, into any) error {
	if err := decode(r.text(1), into); err != nil {
		return ws.wrap(variable, err)
	}
	return nil
}
