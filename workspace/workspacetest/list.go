package workspacetest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

var listTests = []test{
	{"W7List", w7List},
	{"W7InTheOrderOfNames", w7InTheOrderOfNames},
	{"W7MineOrNot", w7MineOrNot},
	{"W7DeadOwner", w7DeadOwner},
	{"W7NotYetMade", w7NotYetMade},
	{"W7WhileOthersComeAndGo", w7WhileOthersComeAndGo},
	{"W7DamageHidesNoOther", w7DamageHidesNoOther},
	{"W5DamagedCounter", w5DamagedCounter},
}

var listVarsTests = []test{
	{"W7AcrossSlots", w7AcrossSlots},
	{"W8ListVars", w8ListVars},
	{"W8Known", w8Known},
	{"W8DescribeVars", w8DescribeVars},
	{"U3ListClients", u3ListClients},
	{"U3AmongManyVariables", u3AmongManyVariables},
	{"U3ClientOfADeletedWorkspace", u3ClientOfADeletedWorkspace},
}

// Workspaces are listed wherever in a cluster they are, each once.
func w7AcrossSlots(s *site) {
	var want, got []string
	for i := range 20 {
		name := fmt.Sprintf("%s%02d", s.name(), i)
		ws, err := workspace.Open(s.ctx, s.rdb, name, nil)
		s.must(err)
		s.Cleanup(func() { s.must(ws.Close()) })
		want = append(want, name)
	}
	infos, err := workspace.List(s.ctx, s.rdb)
	s.must(err)
	for _, info := range infos {
		if strings.HasPrefix(info.Name, s.name()) {
			got = append(got, info.Name)
		}
	}
	if !slices.Equal(got, want) {
		s.Errorf("listed are %q, want %q", got, want)
	}
}

// listed gives all workspaces by their names.
func (s *site) listed() map[string]workspace.Info {
	s.Helper()
	infos, err := workspace.List(s.ctx, s.rdb)
	s.must(err)
	all := map[string]workspace.Info{}
	for _, info := range infos {
		all[info.Name] = info
	}
	return all
}

// thisProcess is an owner.
func thisProcess() workspace.Owner {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return workspace.Owner{Host: host, PID: os.Getpid(), Program: filepath.Base(os.Args[0])}
}

func (s *site) wantInfo(want workspace.Info) {
	s.Helper()
	if got, there := s.listed()[want.Name]; !there || got != want {
		s.Errorf("listed: %t, as %+v, want %+v", there, got, want)
	}
}

func w7List(s *site) {
	if infos := s.listed(); len(infos) > 0 {
		s.Fatalf("an empty server has %+v", infos)
	}
	ws := s.open()
	name := s.name()
	s.wantInfo(workspace.Info{Name: name, Mine: true, Owner: thisProcess()})
	s.store(ws, "a", 1, 2)
	s.declare(ws, "b", workspace.LIFO)
	s.fetch(ws, "c")
	s.waiting(ws, "c", 1, 0)
	s.wantInfo(workspace.Info{Name: name, Mine: true, Owner: thisProcess(), Variables: 3})
	s.must(ws.DeleteVar(s.ctx, "a"))
	s.wantInfo(workspace.Info{Name: name, Mine: true, Owner: thisProcess(), Variables: 2})

	nested, err := workspace.Open(s.ctx, s.client(), name+"/user", &workspace.Options{Persistent: true})
	s.must(err)
	s.wantInfo(workspace.Info{Name: name + "/user", Mine: true, Owner: thisProcess(), Persistent: true})
	s.must(nested.Close()) // it stays, and nobody owns it
	s.wantInfo(workspace.Info{Name: name + "/user", Persistent: true})
	s.must(workspace.Delete(s.ctx, s.rdb, name+"/user"))
	s.must(ws.Close())
	if infos := s.listed(); len(infos) > 0 {
		s.Fatalf("after all were deleted there are %+v", infos)
	}
}

// More than are described together.
func w7InTheOrderOfNames(s *site) {
	const n = 130
	var names []string
	for i := range n {
		name := fmt.Sprint("w", i)
		ws, err := workspace.Use(s.ctx, s.rdb, name, true)
		s.must(err)
		s.must(ws.Close())
		names = append(names, name)
	}
	defer func() {
		for _, name := range names {
			s.must(workspace.Delete(s.ctx, s.rdb, name))
		}
	}()
	infos, err := workspace.List(s.ctx, s.rdb)
	s.must(err)
	var got []string
	for _, info := range infos {
		got = append(got, info.Name)
	}
	if slices.Sort(names); !slices.Equal(got, names) {
		s.Errorf("listed are %q", got)
	}
}

// One that this process made by Use is nobody's; another process' is not mine.
func w7MineOrNot(s *site) {
	used, err := workspace.Use(s.ctx, s.rdb, s.name(), true)
	s.must(err)
	s.wantInfo(workspace.Info{Name: s.name()})
	s.must(used.Close())
	s.must(workspace.Delete(s.ctx, s.rdb, s.name()))

	ws := s.open()
	s.store(ws, "v", 1)
	// As if another process on another machine had opened it.
	s.must(s.admin.HSet(s.ctx, s.key("ws"), "owner", "elsewhere-1", "host", "far", "pid", 77, "program", "other").Err())
	s.wantInfo(workspace.Info{
		Name: s.name(), Owner: workspace.Owner{Host: "far", PID: 77, Program: "other"}, Variables: 1,
	})
}

// An owner whose lease has ended owns no more. A persistent workspace is there all the same.
func w7DeadOwner(s *site) {
	rdb, proxy := s.proxied()
	dead := s.openBy(rdb, &workspace.Options{Persistent: true, Lease: 300 * time.Millisecond})
	s.store(dead, "v", 1)
	proxy.refuse()
	s.leaseEnded()
	s.wantInfo(workspace.Info{Name: s.name(), Persistent: true, Variables: 1})
	s.must(workspace.Delete(s.ctx, s.rdb, s.name()))
}

// A workspace is registered some moments before it is made; until then it is none.
func w7NotYetMade(s *site) {
	rdb := s.admin
	s.must(rdb.Do(s.ctx, "ZADD", "nws:names", time.Now().Add(time.Hour).UnixMilli(), "soon").Err())
	s.Cleanup(func() { rdb.ZRem(context.Background(), "nws:names", "soon") })
	s.open()
	if infos := s.listed(); len(infos) != 1 || infos[s.name()].Name != s.name() {
		s.Errorf("listed are %+v", infos)
	}
}

func w7WhileOthersComeAndGo(s *site) {
	ws := s.open()
	stop := make(chan struct{})
	comes := s.start("coming and going", func(ctx context.Context, p *pending) {
		for i := 0; p.err == nil; i++ {
			select {
			case <-stop:
				return
			default:
			}
			var other *workspace.Workspace
			if other, p.err = workspace.Open(ctx, s.rdb, fmt.Sprint("other", i%3), nil); p.err == nil {
				p.err = other.Close()
			}
		}
	})
	for range 50 {
		infos := s.listed()
		if got := infos[ws.Name()]; !got.Mine {
			s.Fatalf("%q is listed as %+v", ws.Name(), got)
		}
	}
	close(stop)
	comes.gets("")
}

func w8ListVars(s *site) {
	ws := s.open()
	other := s.use(s.client())
	if infos, err := ws.ListVars(s.ctx); len(infos) > 0 || err != nil {
		s.Fatalf("a new workspace has %+v, %v", infos, err)
	}
	s.store(ws, "b", 1, 2, 3)
	s.claim(other, "b", &workspace.ClaimOptions{Max: 2})
	for _, mode := range allModes {
		s.declare(ws, "d "+string(mode), mode)
	}
	s.store(ws, "d single", 1, 2)
	s.fetch(ws, "a")
	s.fetch(other, "a")
	s.find(other, "a")
	s.following(ifind(other, "a"))
	s.following(ifetch(ws, "a"))
	s.waiting(ws, "a", 3, 2)
	want := []workspace.VarInfo{
		{Name: "a", Mode: workspace.Unknown, Fetchers: 3, Finders: 2},
		{Name: "b", Mode: workspace.FIFO, Values: 1, Claimed: 2},
		{Name: "d fifo", Mode: workspace.FIFO},
		{Name: "d lifo", Mode: workspace.LIFO},
		{Name: "d multi", Mode: workspace.Multi},
		{Name: "d single", Mode: workspace.Single, Values: 1},
	}
	for _, h := range []*workspace.Workspace{ws, other} {
		got, err := h.ListVars(s.ctx)
		if s.must(err); !slices.Equal(got, want) {
			s.Errorf("listed are %+v, want %+v", got, want)
		}
	}
}

// Asking whether a variable is known does not make it so.
func w8Known(s *site) {
	ws := s.open()
	known := func(want bool) {
		s.Helper()
		if got, err := ws.Known(s.ctx, "v"); got != want || err != nil {
			s.Errorf("known: %t, %v; want %t", got, err, want)
		}
	}
	known(false)
	known(false)
	s.gives(ifind(ws, "v")) // has asked for it
	known(true)
	s.must(ws.DeleteVar(s.ctx, "v"))
	known(false)
	s.declare(ws, "v", workspace.LIFO)
	known(true)
}

// Some variables are described as in the list, and asking does not make them known.
func w8DescribeVars(s *site) {
	ws := s.open()
	s.store(ws, "b", 1, 2)
	s.store(ws, "a", 1)
	s.store(ws, "c", 1)
	for _, tc := range []struct{ names, want []string }{
		{nil, nil},
		{[]string{"b", "a"}, []string{"a", "b"}},
		{[]string{"x", "c"}, []string{"c"}},
		{[]string{"x"}, nil},
	} {
		infos, err := ws.DescribeVars(s.ctx, tc.names...)
		s.must(err)
		var got []string
		for _, info := range infos {
			got = append(got, info.Name)
		}
		if !slices.Equal(got, tc.want) {
			s.Errorf("of %q it describes %q, want %q", tc.names, got, tc.want)
		}
	}
}
