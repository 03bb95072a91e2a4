package workspacetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// pending is a call that waits in a goroutine of its own.
type pending struct {
	s      *site
	what   string
	cancel context.CancelFunc
	done   chan struct{}
	value  string
	claim  *workspace.Claim
	err    error
}

func (s *site) start(what string, call func(ctx context.Context, p *pending)) *pending {
	ctx, cancel := context.WithCancel(s.ctx)
	p := &pending{s: s, what: what, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		call(ctx, p)
	}()
	s.Cleanup(func() {
		cancel()
		<-p.done
	})
	return p
}

func (s *site) fetch(ws *workspace.Workspace, variable string) *pending {
	return s.start("fetch of "+variable, func(ctx context.Context, p *pending) {
		var text []byte
		p.err = ws.Fetch(ctx, variable, &text)
		p.value = string(text)
	})
}

func (s *site) find(ws *workspace.Workspace, variable string) *pending {
	return s.start("find of "+variable, func(ctx context.Context, p *pending) {
		var text []byte
		p.err = ws.Find(ctx, variable, &text)
		p.value = string(text)
	})
}

func (s *site) claims(ws *workspace.Workspace, variable string, opts *workspace.ClaimOptions) *pending {
	return s.start("claim of "+variable, func(ctx context.Context, p *pending) {
		p.claim, p.err = ws.Claim(ctx, variable, opts)
	})
}

// fetchers starts n fetches, each when those before it wait.
func (s *site) fetchers(ws *workspace.Workspace, variable string, n int) []*pending {
	s.Helper()
	var all []*pending
	for i := range n {
		all = append(all, s.fetch(ws, variable))
		s.waiting(ws, variable, i+1, 0)
	}
	return all
}

// end waits for the call.
func (p *pending) end() {
	p.s.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.s.Fatalf("the %s hangs; %s", p.what, p.s.seen())
	}
}

// gets checks that the call ends with a value.
func (p *pending) gets(want string) {
	p.s.Helper()
	p.end()
	if p.err != nil || p.value != want {
		p.s.Fatalf("the %s got %q, error %v; want %q", p.what, p.value, p.err, want)
	}
}

// fails checks that the call ends with an error.
func (p *pending) fails(want error) {
	p.s.Helper()
	p.end()
	if !errors.Is(p.err, want) {
		p.s.Fatalf("the %s got %q, error %v; want error %v", p.what, p.value, p.err, want)
	}
}

// seen tells what is in Redis when a call hangs.
func (s *site) seen() string {
	keys, err := s.look()
	if err != nil {
		return "and Redis does not answer: " + err.Error()
	}
	return fmt.Sprintf("in Redis are %q", keys)
}
