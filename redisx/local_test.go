package redisx

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx/redistest"
)

// needRedisServer skips the test where no redis-server is on PATH. Under CI it fails.
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

// redisServer starts a redis-server for the length of the test; %d in its configuration is a free port. It returns the
// port, or else what the server said when it ended.
func redisServer(t *testing.T, config string) (port int, says string) {
	t.Helper()
	needRedisServer(t)
	port = redistest.FreePort(t)
	var out strings.Builder
	cmd := exec.Command("redis-server", "-")
	cmd.Stdin = strings.NewReader(fmt.Sprintf(config, port) + "\nbind 127.0.0.1\nsave \"\"\ndir " + t.TempDir() + "\n")
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	for {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = conn.Close()
			return port, ""
		}
		select {
		case <-ended:
			return 0, out.String()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestLocal(t *testing.T) {
	needRedisServer(t)
	rdb, err := Open(t.Context(), "local://", nil)
	if err != nil {
		t.Fatal(err)
	}
	if rdb.String() != "local" {
		t.Errorf("it calls itself %q", rdb.String())
	}
	socket, ok := strings.CutPrefix(rdb.URL(), "unix://")
	if !ok {
		t.Fatalf("URL is %q", rdb.URL())
	}
	dir := filepath.Dir(socket)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", info, err)
	}
	for key, want := range map[string]string{"save": "", "appendonly": "no", "port": "0"} {
		if got := rdb.Redis().ConfigGet(t.Context(), key).Val()[key]; got != want {
			t.Errorf("config %s is %q", key, got)
		}
	}
	other := mustOpen(t, "local://")
	if err := rdb.Redis().Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if n := other.Redis().DBSize(t.Context()).Val(); n != 0 {
		t.Error("two local servers are one")
	}

	if err := rdb.Close(); err != nil {
		t.Error(err)
	}
	if err := rdb.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there after Close: %v", err)
	}
	if _, err := Open(t.Context(), "unix://"+socket, nil); !errors.Is(err, ErrNoServer) {
		t.Errorf("after Close: %v", err)
	}
}

func TestLocalChild(t *testing.T) {
	rdb := mustOpenLocal(t)
	c := spawn(t, "open", rdb.URL())
	if got := c.hear(); got != rdb.URL()+" "+rdb.URL() {
		t.Errorf("the child says %q", got)
	}
}

func TestLocalLongFolder(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("long", 20))
	if err := os.MkdirAll(long, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", long)
	mustOpenLocal(t)
}

func TestLocalOddFolder(t *testing.T) {
	odd := filepath.Join(t.TempDir(), `a "b' $c%41?#`)
	if err := os.Mkdir(odd, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", odd)
	rdb := mustOpenLocal(t)
	mustOpen(t, rdb.URL())
}

func TestLocalMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Open(t.Context(), "local://", nil)
	if !errors.Is(err, ErrNoRedisServer) || !strings.Contains(err.Error(), "apt install redis-server") {
		t.Errorf("got %v", err)
	}
}

func mustOpenLocal(t *testing.T) *Client {
	t.Helper()
	needRedisServer(t)
	return mustOpen(t, "local://")
}
