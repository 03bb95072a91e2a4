package workspacetest

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// clients are those that are listed, by their names.
func (s *site) clients(ws *workspace.Workspace) map[string]workspace.ClientInfo {
	s.Helper()
	infos, err := ws.ListClients(s.ctx)
	s.must(err)
	all := map[string]workspace.ClientInfo{}
	last := ""
	for _, info := range infos {
		if info.Name <= last {
			s.Errorf("%q is listed after %q", info.Name, last)
		}
		last, all[info.Name] = info.Name, info
	}
	return all
}

// Each client is listed with what its calls wait for, and no more once they do not.
func u3ListClients(s *site) {
	ws := s.open()
	other := s.use(s.client())
	idle := s.use(s.client())
	if all := s.clients(ws); len(all) > 0 {
		s.Errorf("of a new workspace there are %+v", all)
	}
	s.store(idle, "full", 1)
	fetching := []*pending{s.fetch(ws, "a"), s.fetch(ws, "a"), s.fetch(other, "a"), s.fetch(other, "b")}
	finding := s.find(other, "a")
	all := ifind(ws, "full")
	s.gives(all, 1)
	following := s.following(all)
	s.waiting(ws, "a", 3, 1)
	s.waiting(ws, "b", 1, 0)
	s.waiting(ws, "full", 0, 1)

	want := map[string][]workspace.Wait{
		ws.Client():    {{Variable: "a", Fetchers: 2}, {Variable: "full", Finders: 1}},
		other.Client(): {{Variable: "a", Fetchers: 1, Finders: 1}, {Variable: "b", Fetchers: 1}},
		idle.Client():  nil,
	}
	host, err := os.Hostname()
	s.must(err)
	there := s.clients(idle)
	if len(there) != len(want) {
		s.Errorf("there are %+v", there)
	}
	for name, waits := range want {
		c := there[name]
		if !reflect.DeepEqual(c.Waits, waits) {
			s.Errorf("%s waits for %+v, want %+v", name, c.Waits, waits)
		}
		if c.Host != host || c.PID != os.Getpid() || c.Program != filepath.Base(os.Args[0]) || c.Seen < 0 || c.Seen > time.Hour {
			s.Errorf("%s is %+v", name, c)
		}
	}

	for _, p := range append(fetching, finding, following) {
		p.cancel()
		p.end()
	}
	s.waiting(ws, "a", 0, 0)
	s.waiting(ws, "b", 0, 0)
	s.must(idle.Close())
	there = s.clients(ws)
	for name, c := range there {
		if len(c.Waits) > 0 || name == idle.Client() {
			s.Errorf("at the end there is %+v", c)
		}
	}
	if len(there) != 2 {
		s.Errorf("at the end there are %+v", there)
	}
}

// The list of a workspace that is gone is no empty one.
func u3ClientOfADeletedWorkspace(s *site) {
	ws := s.open()
	other := s.use(s.client())
	s.must(workspace.Delete(s.ctx, s.rdb, ws.Name()))
	if infos, err := other.ListClients(s.ctx); !errors.Is(err, workspace.ErrNoWorkspace) {
		s.Errorf("got %+v, %v", infos, err)
	}
}

// What is waited for is found among more variables than one script is asked about.
func u3AmongManyVariables(s *site) {
	const n = 1200
	ws := s.open()
	other := s.use(s.client())
	errs := make(chan error, n)
	for i := range n { // at once: their calls travel together
		go func() { errs <- ws.Declare(s.ctx, fmt.Sprint("v", i), workspace.FIFO) }()
	}
	for range n {
		s.must(<-errs)
	}
	var want []workspace.Wait
	for _, i := range []int{0, n / 2, n - 1} {
		s.fetch(other, fmt.Sprint("v", i))
		s.waiting(ws, fmt.Sprint("v", i), 1, 0)
		want = append(want, workspace.Wait{Variable: fmt.Sprint("v", i), Fetchers: 1})
	}
	slices.SortFunc(want, func(a, b workspace.Wait) int { return cmp.Compare(a.Variable, b.Variable) })
	if got := s.clients(ws)[other.Client()].Waits; !slices.Equal(got, want) {
		s.Errorf("it waits for %+v, want %+v", got, want)
	}
}
