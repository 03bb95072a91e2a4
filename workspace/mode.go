package workspace

import (
	"context"
	"fmt"
)

// Mode says which value of a variable is next.
type Mode string

// The modes of a variable. One that was only asked for has mode Unknown, until it is declared or stored into.
const (
	FIFO    Mode = "fifo"   // the oldest value
	LIFO    Mode = "lifo"   // the youngest value
	Multi   Mode = "multi"  // any value, at random
	Single  Mode = "single" // the latest value; earlier ones are not kept
	Unknown Mode = "unknown"
)

// Declare gives a variable its mode. It may be repeated with the same mode; another one is ErrDeclared and changes nothing.
// Whoever waits for the variable goes on waiting. It blocks for a round trip.
func (ws *Workspace) Declare(ctx context.Context, variable string, mode Mode) error {
	switch mode {
	case FIFO, LIFO, Multi, Single:
	default:
		return ws.wrap(variable, fmt.Errorf("%w: %q; there are fifo, lifo, multi, single", ErrMode, mode))
	}
	r, err := ws.request(ctx, declareScript, ws.keys.forScript(ws.client, variable), nil, variable, string(mode))
	switch {
	case err != nil:
		return ws.wrap(variable, err)
	case r.word == "DECLARED":
		return ws.wrap(variable, fmt.Errorf("%w: it is %s, not %s", ErrDeclared, r.text(0), mode))
	}
	return nil
}

// DeleteVar deletes a variable: its values and its declaration. Whoever waits for it gets ErrVarDeleted.
// It returns ErrNoVar where there is no such variable. It blocks for a round trip.
func (ws *Workspace) DeleteVar(ctx context.Context, variable string) error {
	r, err := ws.request(ctx, deleteVarScript, ws.keys.forScript(ws.client, variable), nil, variable)
	if err == nil && r.word == "NOVAR" {
		err = ErrNoVar
	}
	if err != nil {
		return ws.wrap(variable, err)
	}
	return nil
}
