package workspace

import (
	"context"
	"errors"
	"fmt"

	"github.com/netspaces/netspaces/redisx"
)

// passage is the request of some callers that travel together. It ends with the contexts of all of them.
type passage struct {
	ctx     context.Context
	cancel  context.CancelFunc
	callers int           // who have not left
	done    chan struct{} // closed when its end is known
}

func newPassage() passage {
	p := passage{done: make(chan struct{})}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// leave is for a caller whose context has ended while it was under way.
func (p *passage) leave() {
	if p.callers--; p.callers == 0 {
		p.cancel()
	}
}

// ofCaller is the error of a request for one whose context has ended: if that ended it, the error is that of this context.
func ofCaller(ctx context.Context, s *redisx.Script, err error) error {
	_, unknown := errors.AsType[*redisx.UnknownError](err)
	switch {
	case !errors.Is(err, context.Canceled):
		return err
	case unknown:
		return unknownTo(ctx, s)
	}
	return ctx.Err()
}

// unknownTo is for one who cannot wait any longer.
func unknownTo(ctx context.Context, s *redisx.Script) error {
	err := fmt.Errorf("its context ended while it was on its way with others: %w", ctx.Err())
	return &redisx.UnknownError{Script: s.Name(), Err: err}
}
