package workspacetest

import (
	"context"
	"sync"

	"github.com/netspaces/netspaces/workspace"
)

var byHandTests = []test{
	{"ByHandUndeclared", byHandUndeclared},
	{"ByHandUndeclaredWithWaiters", byHandUndeclaredWithWaiters},
	{"ByHandDeclaredWithWaiters", byHandDeclaredWithWaiters},
	{"ScriptsFlushed", scriptsFlushed},
}

// push puts values in as a person would with redis-cli.
func (s *site) push(variable string, values ...any) {
	s.Helper()
	s.must(s.admin.RPush(s.ctx, s.key("values", variable), values...).Err())
}

func byHandUndeclared(s *site) {
	ws := s.open()
	for name, check := range map[string]func(name string){
		"fetched": func(name string) { s.fetch(ws, name).gets("1") },
		"found":   func(name string) { s.find(ws, name).gets("1") },
		"tried":   func(name string) { s.holds(ws, name, "1", "2") },
		"claimed": func(name string) { s.wantClaim(s.claim(ws, name, nil), 1, "1") },
		"stored": func(name string) {
			s.store(ws, name, 3)
			s.holds(ws, name, "1", "2", "3")
		},
	} {
		s.push(name, 1, 2)
		check(name)
		if mode := s.info(ws, name).Mode; mode != workspace.FIFO {
			s.Errorf("%s: mode %q, want fifo", name, mode)
		}
	}
}

func byHandUndeclaredWithWaiters(s *site) {
	ws := s.open()
	other := s.use(s.client())
	fetchers := s.fetchers(other, "v", 2)
	finder := s.find(ws, "v")
	s.waiting(ws, "v", 2, 1)
	s.push("v", 1, 2, 3)
	fetchers[0].gets("1")
	fetchers[1].gets("2")
	finder.end()
	s.must(finder.err)
	s.holds(ws, "v", "3")
}

func byHandDeclaredWithWaiters(s *site) {
	ws := s.open()
	type waiters struct{ fetch, find *pending }
	all := map[workspace.Mode]waiters{}
	for _, mode := range allModes {
		name := string(mode)
		s.declare(ws, name, mode)
		all[mode] = waiters{s.fetch(ws, name), s.find(ws, name)}
		s.waiting(ws, name, 1, 1)
	}
	for _, mode := range allModes {
		s.push(string(mode), 1)
	}
	for _, w := range all {
		w.fetch.gets("1")
		w.find.gets("1")
	}
}

// A Redis that forgets its scripts, as after a failover, costs nothing but their way.
func scriptsFlushed(s *site) {
	const values = 60
	ws := s.open()
	other := s.use(s.client())
	var came tally
	ctx, stop := context.WithCancel(s.ctx)
	var all, flusher sync.WaitGroup
	for range 4 {
		all.Go(func() { came.fetches(ctx, s, other, "v") })
	}
	flusher.Go(func() {
		for ctx.Err() == nil {
			if err := s.flushScripts(); err != nil {
				s.Error(err)
				return
			}
		}
	})
	for i := range values {
		s.store(ws, "v", i)
	}
	came.whole(s, "v", values)
	stop()
	all.Wait()
	flusher.Wait()
	came.once(s, values)
}
