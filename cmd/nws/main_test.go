package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/netspaces/netspaces/cmd/internal/clitest"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/workspace"
	"github.com/redis/go-redis/v9"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"nws": main})
}

// Each script has a database of its own on one server, as REDIS_URL, and besides what clitest offers:
//
//	waits WS VAR N  waits until N calls wait for a variable
//	abandon WS...   makes workspaces whose owner has died
func TestScripts(t *testing.T) {
	server := redistest.Start(t, "databases 64")
	secret := "geheim-7391"
	guarded := redistest.Start(t, "requirepass "+secret, "user weak on >"+secret+" ~* &* +@all -hset")
	var database atomic.Int32
	commands := clitest.Commands()
	commands["waits"], commands["abandon"] = waits, abandon
	testscript.Run(t, testscript.Params{
		Dir:  "testdata",
		Cmds: commands,
		Setup: func(env *testscript.Env) error {
			clitest.Prepare(env)
			env.Setenv("REDIS_URL", server.URL()+"/"+strconv.Itoa(int(database.Add(1))))
			env.Setenv("GUARDED", guarded.Addr())
			env.Setenv("PASSWORD", secret)
			env.Setenv("XDG_CONFIG_HOME", env.WorkDir+"/config")
			return nil
		},
		Deadline:            time.Now().Add(3 * clitest.Patience), // what hangs fails, and not what a busy machine delays
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

func waits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: waits WS VAR N")
	}
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	ts.Check(awaitWaiters(context.Background(), ts.Getenv("REDIS_URL"), args[0], args[1], n))
}

// awaitWaiters waits until so many calls wait for a variable.
func awaitWaiters(ctx context.Context, url, name, variable string, n int) error {
	ctx, cancel := context.WithTimeout(ctx, clitest.Patience)
	defer cancel()
	rdb, err := redisx.Open(ctx, url, nil)
	if err != nil {
		return err
	}
	defer rdb.Close()
	ws, err := workspace.Use(ctx, rdb, name, false)
	if err != nil {
		return err
	}
	defer ws.Close()
	for infos, err := range ws.Watch(ctx) {
		if err != nil {
			return fmt.Errorf("waiting for %d calls: %w", n, err)
		}
		for _, info := range infos {
			if info.Name == variable && info.Fetchers+info.Finders == n {
				return nil
			}
		}
	}
	return errors.New("the watch ended")
}

// site is a server of its own for a test.
type site struct {
	t   *testing.T
	url string
	ws  *workspace.Workspace // of the name ws; nil if there is none
}

func newEmptySite(t *testing.T) *site {
	t.Helper()
	return &site{t: t, url: redistest.Start(t).URL()}
}

// newSite is a site with a workspace.
func newSite(t *testing.T) *site {
	t.Helper()
	s := newEmptySite(t)
	rdb, err := redisx.Open(t.Context(), s.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rdb.Close() })
	s.ws, err = workspace.Open(t.Context(), rdb, "ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) store(variable string, values ...any) {
	s.t.Helper()
	if err := s.ws.StoreAll(s.t.Context(), variable, values...); err != nil {
		s.t.Fatal(err)
	}
}

// command is nws with this server.
func (s *site) command(args ...string) *exec.Cmd {
	cmd := exec.Command("nws", args...)
	cmd.Env = append(os.Environ(), s.env()...)
	return cmd
}

// env is what the environment of nws has besides that of the test.
func (s *site) env() []string {
	return []string{"REDIS_URL=" + s.url, "XDG_CONFIG_HOME=" + s.t.TempDir(), "NO_COLOR=", "TERM=xterm-256color", "GORACE=atexit_sleep_ms=10"}
}

func (s *site) awaitWaiters(variable string, n int) {
	s.t.Helper()
	if err := awaitWaiters(s.t.Context(), s.url, "ws", variable, n); err != nil {
		s.t.Fatal(err)
	}
}

// abandon makes workspaces whose owner has died, and whose lease has ended.
func abandon(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: abandon WS...")
	}
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, ts.Getenv("REDIS_URL"), nil)
	ts.Check(err)
	defer rdb.Close()
	for _, name := range args {
		ws, err := workspace.Use(ctx, rdb, name, true)
		ts.Check(err)
		ts.Check(ws.Close())
	}
	for _, name := range args {
		// As it is some time after kill -9: somebody who is no more owns it, and the time is over.
		ts.Check(rdb.Redis().HSet(ctx, "nws:{"+name+"}:ws", "owner", "dead", "lease", 1).Err())
		ts.Check(rdb.Redis().ZAdd(ctx, "nws:names", redis.Z{Score: 1, Member: name}).Err())
	}
}
