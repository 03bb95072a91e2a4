//go:build unix

package programtest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

func needRedis(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// RedisServer starts a redis-server that ends with the test.
func RedisServer(t *testing.T, config ...string) (url string, rdb *redis.Client) {
	t.Helper()
	needRedis(t)
	dir := t.TempDir()
	socket := filepath.Join(dir, "redis.sock")
	config = append([]string{"port 0", "save \"\"", "dir " + dir, "unixsocket " + socket}, config...)
	cmd := exec.Command("redis-server", "-")
	cmd.Stdin = strings.NewReader(strings.Join(config, "\n"))
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	rdb = redis.NewClient(&redis.Options{Network: "unix", Addr: socket})
	t.Cleanup(func() {
		rdb.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("redis-server says:\n%s", log.String())
		}
	})
	Eventually(t, "redis-server answers", func() bool {
		err := rdb.Ping(t.Context()).Err()
		return err == nil || redis.HasErrorPrefix(err, "NOAUTH")
	})
	return "unix://" + socket, rdb
}

// CheckNoKeys fails for anything left on the server.
func CheckNoKeys(t *testing.T, rdb *redis.Client) {
	t.Helper()
	if keys, err := rdb.Keys(t.Context(), "*").Result(); err != nil || len(keys) > 0 {
		t.Errorf("left on the Redis: %q, %v", keys, err)
	}
}

// OnBoth runs the test on an embedded Redis and on a real one.
func OnBoth(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		test(t, "mem://")
	})
	t.Run("real", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		test(t, "local://")
	})
}
