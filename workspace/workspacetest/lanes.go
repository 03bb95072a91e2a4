package workspacetest

import (
	"strings"
	"sync"

	"github.com/netspaces/netspaces/workspace"
)

var laneTests = []test{
	{"LanesAreBounded", lanesAreBounded},
	{"LanesOneForSequentialCalls", lanesOneForSequentialCalls},
	{"LanesKeepNoLargeReply", lanesKeepNoLargeReply},
	{"LanesGoWithTheirHandles", lanesGoWithTheirHandles},
}

// lanes are those that Redis knows of a handle, each with the number and the reply of its last request.
func (s *site) lanes(ws *workspace.Workspace) map[string]string {
	s.Helper()
	all, err := s.admin.HGetAll(s.ctx, s.key("client", ws.Client())).Result()
	s.must(err)
	for _, field := range []string{"epoch", "host", "pid", "program"} {
		delete(all, field)
	}
	return all
}

func lanesAreBounded(s *site) {
	const callers, most = 1200, 512
	ws := s.open()
	hammer(callers, func(i int) {
		if err := ws.Store(s.ctx, "v", i); err != nil {
			s.Errorf("Store: %v", err)
		}
		if err := ws.Declare(s.ctx, "v", workspace.FIFO); err != nil { // these do not travel together, as stores do
			s.Errorf("Declare: %v", err)
		}
	})
	lanes := s.lanes(ws)
	s.Logf("%d lanes for %d callers", len(lanes), callers)
	if len(lanes) == 0 || len(lanes) > most {
		s.Errorf("%d lanes, want 1 to %d", len(lanes), most)
	}
	var came tally
	came.add(s.drain(ws, "v")...)
	came.once(s, callers)
}

func lanesOneForSequentialCalls(s *site) {
	ws := s.open()
	for i := range 50 {
		s.store(ws, "v", i)
		s.fetch(ws, "v").end()
		var text []byte
		_, err := ws.TryFetch(s.ctx, "v", &text)
		s.must(err)
	}
	if lanes := s.lanes(ws); len(lanes) != 1 {
		s.Errorf("%d lanes for calls one after the other: %v", len(lanes), lanes)
	}
}

// A reply is kept for as long as it may be asked for again, which may be long where nothing follows.
func lanesKeepNoLargeReply(s *site) {
	const size, most = 1 << 20, 8 << 10
	ws := s.open()
	large := []byte(`"` + strings.Repeat("x", size) + `"`)
	for _, take := range []func(){
		func() {
			var text []byte
			s.must(ws.Fetch(s.ctx, "v", &text))
		},
		func() {
			_, err := ws.FetchN(s.ctx, "v", 1)
			s.must(err)
		},
		func() { s.must(settleAll(s.ctx, s.claim(ws, "v", nil), "")) },
	} {
		s.store(ws, "v", large)
		take()
		size := 0
		s.eventually(func() bool {
			size = 0
			for _, reply := range s.lanes(ws) {
				size += len(reply)
			}
			return size <= most
		}, func() string { return "a copy of a large reply stays in its lane" })
	}
}

func lanesGoWithTheirHandles(s *site) {
	ws := s.open()
	handles := []*workspace.Workspace{s.use(s.rdb), s.use(s.client()), s.use(s.client())}
	for i, h := range handles {
		s.store(h, "v", i)
	}
	waiter := s.fetch(handles[2], "w")
	s.waiting(ws, "w", 1, 0)
	for _, h := range handles {
		if len(s.lanes(h)) == 0 {
			s.Error("a handle that has stored has no lane")
		}
		s.must(h.Close())
		s.unknownClient(h)
	}
	waiter.fails(workspace.ErrClosed)
	s.waiting(ws, "w", 0, 0)
	s.holds(ws, "v", "0", "1", "2")
}

// unknownClient checks that Redis keeps nothing of a handle.
func (s *site) unknownClient(ws *workspace.Workspace) {
	s.Helper()
	if n, err := s.admin.Exists(s.ctx, s.key("client", ws.Client())).Result(); n != 0 || err != nil {
		s.Errorf("the client is still known: %v", err)
	}
	if seen, err := s.admin.ZScore(s.ctx, s.key("live"), ws.Client()).Result(); err == nil {
		s.Errorf("the client gave its last sign of life at %v", seen)
	}
}

// hammer runs f in so many goroutines at the same time.
func hammer(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}
