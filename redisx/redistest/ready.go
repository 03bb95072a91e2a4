package redistest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	// patience is how long a test waits for what must happen. It is no measure of anything: it only ends a test that hangs.
	patience = 45 * time.Second
	backoff  = time.Millisecond
	maxPause = 50 * time.Millisecond // between two looks
	maxReply = 2 * time.Second       // that one PING may take

	maxSocket = 103 // bytes of a socket's path on macOS; Linux allows 107
)

// needRedis finds redis-server. Where there is none the test is skipped; under CI=true, where nobody would see that, it
// fails.
func needRedis(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err == nil {
		program, err = filepath.Abs(program)
	}
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	return program
}

// socketDir makes a folder whose path is short enough for a socket, which those of t.TempDir are not.
func socketDir(t testing.TB) string {
	t.Helper()
	root := os.TempDir()
	if len(filepath.Join(root, "redistest0123456789", "redis.sock")) > maxSocket {
		root = "/tmp"
	}
	dir, err := os.MkdirTemp(root, "redistest") //nolint:usetesting // t.TempDir has the test's name in its path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// waitReady waits until the server at a socket answers and has loaded its data. That nobody else has the socket's path
// makes sure that it is our server, and that it has got its port.
func waitReady(socket string, ended <-chan struct{}) error {
	deadline := time.Now().Add(patience)
	for pause := backoff; ; pause = min(2*pause, maxPause) {
		err := ping(socket)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("is not ready after %v: %w", patience, err)
		}
		select {
		case <-ended:
			return errors.New("did not start")
		case <-time.After(pause):
		}
	}
}

// ping takes any reply for an answer, such as one that asks for a password, but not that the server is loading.
func ping(socket string) error {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(maxReply))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	reply, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	if strings.HasPrefix(reply, "-LOADING") {
		return errors.New(strings.TrimSpace(reply))
	}
	return nil
}

// await waits until look returns nil, and fails the test with its error if it never does.
func await(t testing.TB, what string, look func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for pause := backoff; ; pause = min(2*pause, maxPause) {
		err := look()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("redistest: %s: not after %v: %v", what, patience, err)
		}
		time.Sleep(pause)
	}
}
