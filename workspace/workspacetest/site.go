package workspacetest

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// patience is how long a test waits for what must happen. It is no measure of anything: it only ends a test that hangs.
const patience = 90 * time.Second

// site is where one test takes place: a server, one client on it, and a context that ends when the test hangs.
type site struct {
	*testing.T
	ctx    context.Context
	server Server
	rdb    *redisx.Client
	admin  redis.UniversalClient // for looking into the server
}

func newSite(t *testing.T, open func(*testing.T) Server) *site {
	server := open(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience) // it is needed for cleaning up, too
	t.Cleanup(cancel)
	s := &site{T: t, ctx: ctx, server: server, rdb: server.Client, admin: server.Admin}
	if s.admin == nil {
		s.admin = s.rdb.Redis()
	}
	t.Cleanup(s.noKeyLeft)
	return s
}

// noKeyLeft runs after all workspaces of the test were closed.
func (s *site) noKeyLeft() {
	keys, err := s.look()
	if err != nil {
		s.Errorf("looking for keys that are left: %v", err)
	}
	if len(keys) > 0 {
		s.Errorf("%d keys are left: %q", len(keys), keys[:min(len(keys), 20)])
	}
}

// client opens another client on the same server.
func (s *site) client() *redisx.Client {
	s.Helper()
	return s.clientAt(s.rdb.URL(), nil)
}

func (s *site) clientAt(url string, opts *redisx.Options) *redisx.Client {
	s.Helper()
	rdb, err := redisx.Open(s.ctx, url, opts)
	s.must(err)
	s.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// name is the workspace's in this test.
func (s *site) name() string { return path.Base(s.Name()) }

// open opens the test's workspace by the site's own client, and owns it.
func (s *site) open() *workspace.Workspace {
	s.Helper()
	return s.openBy(s.rdb, nil)
}

func (s *site) openBy(rdb *redisx.Client, opts *workspace.Options) *workspace.Workspace {
	s.Helper()
	ws, err := workspace.Open(s.ctx, rdb, s.name(), opts)
	s.must(err)
	s.Cleanup(func() {
		// Close gives up after some seconds, which may be too few for a machine that does many other things.
		if err := ws.Close(); err != nil {
			s.Logf("closing the workspace: %v", err)
			_ = workspace.Delete(s.ctx, s.rdb, s.name())
			_ = s.admin.ZRem(s.ctx, "nws:names", s.name()) // which else goes when its lease is over
		}
	})
	return ws
}

// use gives another handle on the test's workspace.
func (s *site) use(rdb *redisx.Client) *workspace.Workspace {
	s.Helper()
	ws, err := workspace.Use(s.ctx, rdb, s.name(), false)
	s.must(err)
	s.Cleanup(func() { _ = ws.Close() })
	return ws
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) wantErr(err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Fatalf("error %v, want %v", err, want)
	}
}

func (s *site) store(ws *workspace.Workspace, variable string, values ...any) {
	s.Helper()
	s.must(ws.StoreAll(s.ctx, variable, values...))
}

func (s *site) declare(ws *workspace.Workspace, variable string, mode workspace.Mode) {
	s.Helper()
	s.must(ws.Declare(s.ctx, variable, mode))
}

// drain takes all values that are there.
func (s *site) drain(ws *workspace.Workspace, variable string) []string {
	s.Helper()
	values := []string{}
	for {
		var text []byte
		ok, err := ws.TryFetch(s.ctx, variable, &text)
		s.must(err)
		if !ok {
			return values
		}
		values = append(values, string(text))
	}
}

// holds checks what is in a variable, by taking it all.
func (s *site) holds(ws *workspace.Workspace, variable string, want ...string) {
	s.Helper()
	if got := s.drain(ws, variable); !slices.Equal(got, want) {
		s.Fatalf("variable %q gave %q, want %q", variable, got, want)
	}
}

// info describes a variable; one that is not there has no name.
func (s *site) info(ws *workspace.Workspace, variable string) workspace.VarInfo {
	s.Helper()
	infos, err := ws.ListVars(s.ctx)
	s.must(err)
	for _, info := range infos {
		if info.Name == variable {
			return info
		}
	}
	return workspace.VarInfo{}
}

// waiting waits until so many wait for a variable.
func (s *site) waiting(ws *workspace.Workspace, variable string, fetchers, finders int) {
	s.Helper()
	var info workspace.VarInfo
	s.eventually(func() bool {
		info = s.info(ws, variable)
		return info.Fetchers == fetchers && info.Finders == finders
	}, func() string {
		return fmt.Sprintf("%d fetchers and %d finders wait for %q, want %d and %d",
			info.Fetchers, info.Finders, variable, fetchers, finders)
	})
}

// eventually waits until ok, and fails with what otherwise says.
func (s *site) eventually(ok func() bool, otherwise func() string) {
	s.Helper()
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; !ok(); pause = min(2*pause, 50*time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("not in %v: %s", patience, otherwise())
		}
		time.Sleep(pause)
	}
}

// key is one of the workspace's keys in Redis, as the table in workspace/keys.go has it.
func (s *site) key(kind string, variable ...string) string {
	return strings.Join(append([]string{"nws:{" + s.name() + "}", kind}, variable...), ":")
}

// snapshot is all that the server holds, or all of the test's own where it is shared.
func (s *site) snapshot() map[string]string {
	s.Helper()
	rdb := s.admin
	all := map[string]string{}
	for _, key := range s.keys() {
		kind, err := rdb.Type(s.ctx, key).Result()
		s.must(err)
		var content any
		switch kind {
		case "hash":
			content, err = rdb.HGetAll(s.ctx, key).Result()
		case "list":
			content, err = rdb.LRange(s.ctx, key, 0, -1).Result()
		case "zset":
			content, err = rdb.ZRangeWithScores(s.ctx, key, 0, -1).Result()
		case "string":
			content, err = rdb.Get(s.ctx, key).Result()
		}
		s.must(err)
		all[key] = fmt.Sprint(kind, " ", content)
	}
	return all
}

// unchanged compares with an earlier snapshot; what a script may change without harm is left out.
func (s *site) unchanged(before map[string]string, except ...string) {
	s.Helper()
	after := s.snapshot()
	for key := range after {
		if _, was := before[key]; !was && !slices.Contains(except, key) {
			s.Errorf("%s is new: %s", key, after[key])
		}
	}
	for key, was := range before {
		if after[key] != was && !slices.Contains(except, key) {
			s.Errorf("%s was %q, is %q", key, was, after[key])
		}
	}
}
