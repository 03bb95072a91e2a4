// Package python_test has Go and Python programs work together in one workspace, on a real Redis.
package python_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/workspace"
)

const space = "shared/by both"

// site is a workspace that Go owns, and a Python process that uses it.
type site struct {
	*testing.T
	ctx    context.Context
	server *redistest.Server
	rdb    *redisx.Client
	ws     *workspace.Workspace
	py     *peer
}

func newSite(t *testing.T) *site {
	t.Helper()
	t.Parallel()
	interpreter(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	t.Cleanup(cancel)
	s := &site{T: t, ctx: ctx, server: redistest.Start(t)}
	s.rdb = s.connect()
	ws, err := workspace.Open(ctx, s.rdb, space, nil)
	s.must(err)
	s.ws, s.py = ws, startPeer(t, s.server.URL(), space)
	return s
}

func (s *site) connect() *redisx.Client {
	s.Helper()
	rdb, err := redisx.Open(s.ctx, s.server.URL(), nil)
	s.must(err)
	s.Cleanup(func() { s.must(rdb.Close()) })
	return rdb
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) equal(what, got, want string) {
	s.Helper()
	if got != want {
		s.Errorf("%s: %s, want %s", what, got, want)
	}
}

// waiting waits until so many callers do.
func (s *site) waiting(variable string, fetchers, finders int) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	for infos, err := range s.ws.Watch(ctx, variable) {
		if err != nil {
			s.Fatalf("%s: %v, want %d fetchers and %d finders", variable, err, fetchers, finders)
		}
		if len(infos) == 1 && infos[0].Fetchers == fetchers && infos[0].Finders == finders {
			return
		}
	}
}

// went is what became of a call of Go.
type went struct {
	text string
	err  error
}

type verb = func(ctx context.Context, variable string, into any) error

func (s *site) start(call verb, variable string) <-chan went {
	came := make(chan went, 1)
	go func() {
		var text json.RawMessage
		err := call(s.ctx, variable, &text)
		came <- went{string(text), err}
	}()
	return came
}

func (s *site) wantValue(came <-chan went) string {
	s.Helper()
	w := <-came // ends with s.ctx
	s.must(w.err)
	return w.text
}

func (s *site) wantEmpty(variable string) {
	s.Helper()
	var text json.RawMessage
	if there, err := s.ws.TryFind(s.ctx, variable, &text); there || err != nil {
		s.Errorf("%s holds %s, %v; want nothing", variable, text, err)
	}
}

// same compares JSON texts by what they mean.
func (s *site) same(what, got, want string) {
	s.Helper()
	s.equal(what, s.normal(got), s.normal(want))
}

func (s *site) normal(text string) string {
	s.Helper()
	var value any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	s.must(decoder.Decode(&value))
	normal, err := json.Marshal(value)
	s.must(err)
	return string(normal)
}
