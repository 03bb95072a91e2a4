package workspacetest

import "github.com/netspaces/netspaces/workspace"

var knownTests = []test{
	{"V3TryMakesKnown", v3TryMakesKnown},
	{"V3WaitersStayAcrossDeclare", v3WaitersStayAcrossDeclare},
	{"V3WaitersStayAcrossStore", v3WaitersStayAcrossStore},
	{"V6TryDoesNotWait", v6TryDoesNotWait},
}

func v3TryMakesKnown(s *site) {
	ws := s.open()
	var text []byte
	for name, try := range map[string]func() (bool, error){
		"fetched": func() (bool, error) { return ws.TryFetch(s.ctx, "fetched", &text) },
		"found":   func() (bool, error) { return ws.TryFind(s.ctx, "found", &text) },
	} {
		ok, err := try()
		if s.must(err); ok {
			s.Fatalf("%s: a value out of nothing: %q", name, text)
		}
		if info := s.info(ws, name); info != (workspace.VarInfo{Name: name, Mode: workspace.Unknown}) {
			s.Errorf("a try left %+v", info)
		}
	}
}

func v3WaitersStayAcrossDeclare(s *site) {
	ws := s.open()
	for _, mode := range allModes {
		name := string(mode)
		fetch, find := s.fetch(ws, name), s.find(ws, name)
		s.waiting(ws, name, 1, 1)
		if got := s.info(ws, name).Mode; got != workspace.Unknown {
			s.Fatalf("a variable that is only waited for is %q", got)
		}
		s.declare(ws, name, mode)
		s.waiting(ws, name, 1, 1)
		if got := s.info(ws, name).Mode; got != mode {
			s.Fatalf("declared %q, it is %q", mode, got)
		}
		s.store(ws, name, 5)
		fetch.gets("5")
		find.gets("5")
		s.holds(ws, name)
	}
}

func v3WaitersStayAcrossStore(s *site) {
	ws := s.open()
	waiters := s.fetchers(ws, "v", 3)
	s.store(ws, "v", 1)
	waiters[0].gets("1")
	s.waiting(ws, "v", 2, 0)
	if mode := s.info(ws, "v").Mode; mode != workspace.FIFO {
		s.Fatalf("a store made the variable %q, want fifo", mode)
	}
	s.store(ws, "v", 2, 3)
	waiters[1].gets("2")
	waiters[2].gets("3")
}

func v6TryDoesNotWait(s *site) {
	ws := s.open()
	v := workspace.NewVar[int](ws, "v")
	for range 2 {
		if value, ok, err := v.TryFetch(s.ctx); ok || err != nil {
			s.Fatalf("TryFetch of nothing: %d, %t, %v", value, ok, err)
		}
		if value, ok, err := v.TryFind(s.ctx); ok || err != nil {
			s.Fatalf("TryFind of nothing: %d, %t, %v", value, ok, err)
		}
		s.must(v.Store(s.ctx, 4))
		if value, ok, err := v.TryFind(s.ctx); value != 4 || !ok || err != nil {
			s.Fatalf("TryFind: %d, %t, %v", value, ok, err)
		}
		if value, ok, err := v.TryFetch(s.ctx); value != 4 || !ok || err != nil {
			s.Fatalf("TryFetch: %d, %t, %v", value, ok, err)
		}
	}
	if info := s.info(ws, "v"); info.Fetchers != 0 || info.Finders != 0 {
		s.Fatalf("a try left waiters: %+v", info)
	}
}
