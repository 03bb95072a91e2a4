package workspacetest

import (
	"bytes"
	"context"
	"strings"

	"github.com/netspaces/netspaces/workspace"
)

var iterateGoneTests = []test{
	{"W4LaterVerbsKeepFailing", w4LaterVerbsKeepFailing},
	{"CloseEndsLaterVerbs", closeEndsLaterVerbs},
	{"CloseEndsWaitingIterators", closeEndsWaitingIterators},
	{"DamageOfAnIteratedVariable", damageOfAnIteratedVariable},
	{"DamageOfOneVariableIsNamed", damageOfOneVariableIsNamed},
	{"I3ByHandSingle", i3ByHandSingle},
	{"F2WriterPanics", f2WriterPanics},
	{"FetchPanicInDecoding", fetchPanicInDecoding},
}

// laterVerbs calls all that iterates, takes many, or moves files.
func laterVerbs(ctx context.Context, ws *workspace.Workspace) map[string]error {
	var out bytes.Buffer
	errs := map[string]error{}
	_, errs["FetchN"] = ws.FetchN(ctx, "v", 3)
	_, errs["StoreFile"] = ws.StoreFile(ctx, "v", strings.NewReader("abc"), 0)
	_, errs["FetchFile"] = ws.FetchFile(ctx, "v", &out)
	_, errs["FindFile"] = ws.FindFile(ctx, "v", &out)
	_, _, errs["TryFetchFile"] = ws.TryFetchFile(ctx, "v", &out)
	_, _, errs["TryFindFile"] = ws.TryFindFile(ctx, "v", &out)
	_, errs["Known"] = ws.Known(ctx, "v")
	for _, errs["Watch"] = range ws.Watch(ctx) {
		break
	}
	for name, iterator := range iterators {
		for _, errs[name+" Try"] = range iterator(ws, "v").Try(ctx) {
			break
		}
		for _, errs[name+" All"] = range iterator(ws, "v").All(ctx) {
			break
		}
	}
	return errs
}

func w4LaterVerbsKeepFailing(s *site) {
	old := s.openBy(s.client(), nil)
	began := ifind(old, "v")
	s.store(old, "v", 1)
	s.gives(began, 1)
	s.must(workspace.Delete(s.ctx, s.rdb, s.name()))
	anew := s.open()
	s.store(anew, "v", 1, 2)
	for verb, err := range laterVerbs(s.ctx, old) {
		if s.Logf("%s: %v", verb, err); err == nil {
			s.Errorf("%s works on a workspace that was deleted", verb)
			continue
		}
		s.wantErr(err, workspace.ErrNoWorkspace)
	}
	s.following(began).fails(workspace.ErrNoWorkspace)
	began.Reset()
	s.following(began).fails(workspace.ErrNoWorkspace)
	s.holds(anew, "v", "1", "2")
}

func closeEndsLaterVerbs(s *site) {
	ws := s.open()
	other := s.use(s.client())
	s.store(ws, "v", 1, 2)
	s.must(other.Close())
	for verb, err := range laterVerbs(s.ctx, other) {
		if err == nil {
			s.Errorf("%s works on a handle that was closed", verb)
			continue
		}
		s.wantErr(err, workspace.ErrClosed)
	}
	s.holds(ws, "v", "1", "2")
}

func closeEndsWaitingIterators(s *site) {
	ws := s.open()
	other := s.use(s.client())
	all := []*pending{
		s.following(ifind(other, "v")), s.following(ifetch(other, "v")), s.fetchesN(other, "v", 3),
	}
	s.waiting(ws, "v", 2, 1)
	s.must(other.Close())
	for _, p := range all {
		p.fails(workspace.ErrClosed)
	}
	s.waiting(ws, "v", 0, 0)
}

func damageOfAnIteratedVariable(s *site) {
	ws := s.open()
	for _, kind := range kinds {
		for name, iterator := range iterators {
			v := name + " " + kind
			s.damage(kind, v)
			for value, err := range iterator(ws, v).Try(s.ctx) {
				s.wantErr(err, workspace.ErrDamaged)
				if s.names(err, s.name(), v); value != 0 {
					s.Errorf("%s gave %d", v, value)
				}
			}
			s.must(s.admin.Del(s.ctx, s.key(kind, v)).Err())
			it := iterator(ws, v)
			s.store(ws, v, 1, 2)
			s.gives(it, 1, 2)
		}
	}
}

// Whoever lists or watches all variables is told which is damaged; the others can be watched.
func damageOfOneVariableIsNamed(s *site) {
	ws := s.open()
	s.store(ws, "bad", 1)
	s.store(ws, "good", 1)
	s.must(s.admin.Del(s.ctx, s.key("values", "bad")).Err())
	s.damage("values", "bad")
	_, err := ws.ListVars(s.ctx)
	s.wantErr(err, workspace.ErrDamaged)
	s.names(err, s.name(), "bad")
	good := workspace.VarInfo{Name: "good", Mode: workspace.FIFO, Values: 1}
	s.watch(ws, "good").shows(good)
	s.must(ws.DeleteVar(s.ctx, "bad"))
	s.watch(ws).shows(good)
}

// One workspace that is damaged must not keep anybody from seeing the others.
func w7DamageHidesNoOther(s *site) {
	rdb := s.admin
	s.must(rdb.Set(s.ctx, "nws:{damaged}:ws", "not a hash", 0).Err())
	s.must(rdb.Do(s.ctx, "ZADD", "nws:names", "+inf", "damaged").Err())
	s.Cleanup(func() {
		rdb.Del(context.Background(), "nws:{damaged}:ws")
		rdb.Del(context.Background(), "nws:names")
	})
	ws := s.open()
	infos, err := workspace.List(s.ctx, s.rdb)
	if err != nil {
		s.wantErr(err, workspace.ErrDamaged)
		s.names(err, "damaged")
	}
	found := false
	for _, info := range infos {
		found = found || info.Name == ws.Name()
	}
	if !found {
		s.Errorf("listed are %+v, error %v", infos, err)
	}
	s.must(ws.Close())
}

func w5DamagedCounter(s *site) {
	s.forgetCounter()
	for _, damage := range []string{"not a number", "9223372036854775807"} {
		s.must(s.admin.HSet(s.ctx, counterKey, "temporary", damage).Err())
		_, err := workspace.OpenTemporary(s.ctx, s.rdb, "ride_%d", nil)
		s.wantErr(err, workspace.ErrDamaged)
	}
	s.must(s.admin.Del(s.ctx, counterKey).Err())
	s.must(s.admin.RPush(s.ctx, counterKey, 1).Err())
	_, err := workspace.OpenTemporary(s.ctx, s.rdb, "ride_%d", nil)
	s.wantErr(err, workspace.ErrDamaged)
}

// A value put in by hand is the latest of a single variable, for who waits and for who asks.
func i3ByHandSingle(s *site) {
	ws := s.open()
	s.declare(ws, "v", workspace.Single)
	s.store(ws, "v", 1)
	it := ifind(ws, "v")
	s.gives(it, 1)
	next := s.following(it)
	s.waiting(ws, "v", 0, 1)
	s.push("v", 2)
	next.gets("2")
}

type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic("in the writer") }

func (*panicking) UnmarshalJSON([]byte) error { panic("in decoding") }

// panics checks that a call does.
func (s *site) panics(call func()) {
	s.Helper()
	defer func() {
		if recover() == nil {
			s.Error("the panic is lost")
		}
	}()
	call()
}

func f2WriterPanics(s *site) {
	ws := s.open()
	s.store(ws, "v", 1, 2)
	s.panics(func() { _, _ = ws.FetchFile(s.ctx, "v", panicking{}) })
	s.panics(func() { _, _, _ = ws.TryFetchFile(s.ctx, "v", panicking{}) })
	s.panics(func() { _, _ = ws.FindFile(s.ctx, "v", panicking{}) })
	s.holds(ws, "v", "1", "2")
}

// A caller that survives its own panic has taken nothing.
func fetchPanicInDecoding(s *site) {
	ws := s.open()
	s.store(ws, "v", 1, 2, 3)
	v := workspace.NewVar[panicking](ws, "v")
	s.panics(func() { _, _ = v.Fetch(s.ctx) })
	s.panics(func() { _, _, _ = v.TryFetch(s.ctx) })
	s.panics(func() { _, _ = v.FetchN(s.ctx, 2) })
	s.panics(func() {
		for value, err := range v.IFetch().Try(s.ctx) {
			s.Errorf("got %v, %v out of a panic", value, err)
		}
	})
	s.holds(ws, "v", "1", "2", "3")
}
