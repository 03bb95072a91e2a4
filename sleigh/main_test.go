package sleigh_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// patience is far longer than anything here takes on a busy machine. What waits for so long has failed.
const patience = 150 * time.Second

// roleEnv makes the test binary play a part instead of running tests.
const roleEnv = "SLEIGH_TEST_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv("NETSPACES_ALL") != "1" {
		*sleigh.MaxText = 4 << 20 // the race detector takes a minute for what has 64 MiB
	}
	if os.Getenv(roleEnv) == "no main" {
		os.Exit(playNoMain())
	}
	sleigh.Main()
	switch os.Getenv(roleEnv) {
	case "master":
		os.Exit(playMaster())
	case "successor":
		os.Exit(playSuccessor())
	case "talk master":
		os.Exit(playTalkMaster())
	}

	flag.Parse()
	if err := flag.Set("test.parallel", "4"); err != nil { // most tests wait most of the time
		panic(err)
	}

	// A data race in a worker process is seen by its report, since nobody looks at its exit code. The race detector would
	// also have each of them wait for a second when it ends.
	races, err := os.MkdirTemp("", "sleigh-races-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = os.Setenv("GORACE", "atexit_sleep_ms=10 log_path="+filepath.Join(races, "report"))
	goleak.VerifyTestMain(m, goleak.Cleanup(func(exitCode int) {
		reports, _ := filepath.Glob(races + "/*")
		for _, file := range reports {
			text, _ := os.ReadFile(file)
			fmt.Fprintf(os.Stderr, "a worker has a data race:\n%s\n", text)
			exitCode = 1
		}
		_ = os.RemoveAll(races)
		os.Exit(exitCode)
	}))
}

// testContext ends a test that hangs while the others still can tell their results.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, fmt.Errorf("%s hangs", t.Name()))
	t.Cleanup(cancel)
	return ctx
}

// needRedisServer skips a test where there is no redis-server, which CI must not do.
func needRedisServer(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no redis-server on PATH")
	}
	t.Skip("no redis-server on PATH")
}

// open opens a Redis until the end of the test: this one, or the cluster if that is what the tests run on.
func open(t *testing.T, url string) *redisx.Client {
	t.Helper()
	if cluster := os.Getenv(clusterEnv); cluster != "" {
		url = cluster
	}
	return openAt(t, url)
}

// openAt opens a Redis until the end of the test.
func openAt(t *testing.T, url string) *redisx.Client {
	t.Helper()
	if url == "local://" {
		needRedisServer(t)
	}
	rdb, err := redisx.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rdb.Close(); err != nil {
			t.Error(err)
		}
	})
	return rdb
}

// onBackends runs a test on an embedded and on a real Redis.
func onBackends(t *testing.T, test func(t *testing.T, rdb *redisx.Client)) {
	t.Helper()
	backends := map[string]string{"embedded": "mem://", "redis": "local://"}
	if url := os.Getenv(clusterEnv); url != "" {
		backends = map[string]string{"cluster": url}
	}
	for name, url := range backends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, url))
		})
	}
}

// onTeams runs a test with n workers in this process on an embedded Redis, and with n processes on a real one; with --all, with
// both on both.
func onTeams(t *testing.T, n int, test func(t *testing.T, s *sleigh.Sleigh)) {
	t.Helper()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		for name, launch := range map[string]sleigh.Launcher{"goroutines": sleigh.InProcess(n), "processes": sleigh.Local(n)} {
			if onReal := rdb.String() != "embedded"; brief() && onReal != (name == "processes") {
				continue
			}
			t.Run(name, func(t *testing.T) {
				test(t, start(t, rdb, &sleigh.Options{Launch: launch}))
			})
		}
	})
}

// start starts a sleigh, and stops it at the end of the test, after which nothing of it may be left.
func start(t *testing.T, rdb *redisx.Client, o *sleigh.Options) *sleigh.Sleigh {
	t.Helper()
	s, err := sleigh.Start(testContext(t), rdb, o)
	if err != nil {
		t.Fatal(err)
	}
	clients.Store(s, rdb)
	t.Cleanup(func() {
		clients.Delete(s)
		if t.Failed() {
			tellVariables(t, rdb, s)
		}
		if err := s.Stop(context.Background()); err != nil {
			t.Errorf("Stop: %v", err)
		}
		wantNoKeys(t, rdb, s.Name())
		if left := workersOf(t, s.Name()); len(left) > 0 {
			t.Errorf("worker processes left after Stop: %v", left)
		}
	})
	return s
}

// tellVariables logs what is in the way of a sleigh that hangs.
func tellVariables(t *testing.T, rdb *redisx.Client, s *sleigh.Sleigh) {
	t.Helper()
	for _, name := range []string{s.Name(), s.User().Name()} {
		ws, err := workspace.Use(context.Background(), rdb, name, false)
		if err != nil {
			t.Log(err)
			continue
		}
		vars, err := ws.ListVars(context.Background())
		t.Logf("%s has %+v, %v", name, vars, err)
		_ = ws.Close()
	}
}

var clients sync.Map // of sleighs that were started

// clientOf is the client that a sleigh was started with.
func clientOf(t *testing.T, s *sleigh.Sleigh) *redisx.Client {
	t.Helper()
	rdb, ok := clients.Load(s)
	if !ok {
		t.Fatal("the sleigh was not started by start")
	}
	return rdb.(*redisx.Client)
}

// keysOf lists the keys on all nodes.
func keysOf(t *testing.T, rdb *redisx.Client, pattern string) []string {
	t.Helper()
	ctx := context.Background()
	var mu sync.Mutex
	var all []string
	list := func(ctx context.Context, node redis.Cmdable) error {
		keys, err := node.Keys(ctx, pattern).Result()
		mu.Lock()
		defer mu.Unlock()
		all = append(all, keys...)
		return err
	}
	var err error
	if cluster, ok := rdb.Redis().(*redis.ClusterClient); ok {
		err = cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return list(ctx, node) })
	} else {
		err = list(ctx, rdb.Redis())
	}
	if err != nil {
		t.Error(err)
	}
	return all
}

// wantNoKeys checks that Redis has nothing of a sleigh.
func wantNoKeys(t *testing.T, rdb *redisx.Client, name string) {
	t.Helper()
	ctx := context.Background()
	if keys := keysOf(t, rdb, "nws:{"+name+"}*"); len(keys) > 0 {
		t.Errorf("keys left in Redis: %v", keys)
	}
	names, err := rdb.Redis().ZRange(ctx, "nws:names", 0, -1).Result()
	if err != nil {
		t.Error(err)
	}
	for _, listed := range names {
		if strings.HasPrefix(listed, name) {
			t.Errorf("still listed: %s", listed)
		}
	}
}

// eventually waits until ok, which is about other processes that cannot tell us.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; !ok(); pause = min(2*pause, 50*time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in %v: %s", patience, what)
		}
		time.Sleep(pause)
	}
}

// find waits for a value in a workspace.
func find[T any](t *testing.T, ws *workspace.Workspace, variable string) T {
	t.Helper()
	var value T
	if err := ws.Find(testContext(t), variable, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// fetch waits for a value in a workspace, and takes it.
func fetch[T any](t *testing.T, ws *workspace.Workspace, variable string) T {
	t.Helper()
	var value T
	if err := ws.Fetch(testContext(t), variable, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// openGate lets go of the functions that wait.
func openGate(t *testing.T, user *workspace.Workspace) {
	t.Helper()
	if err := user.Store(testContext(t), "gate", true); err != nil {
		t.Fatal(err)
	}
}
