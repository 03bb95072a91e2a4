//go:build unix

package redisx

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A child has a process group of its own, as a program that a shell has started.
func init() { childAttr = &syscall.SysProcAttr{Setpgid: true} }

// TestLocalEndsWithItsOwner has a process that opened local:// go in all ways there are.
func TestLocalEndsWithItsOwner(t *testing.T) {
	needRedisServer(t)
	ways := map[string]func(c *child){
		"returns":  func(c *child) { _ = c.in.Close() },
		"kill -9":  func(c *child) { _ = c.cmd.Process.Kill() },
		"sigterm":  func(c *child) { _ = c.cmd.Process.Signal(syscall.SIGTERM) },
		"ctrl-c":   func(c *child) { _ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGINT) },
		"kill all": func(c *child) { _ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) },
	}
	for name, end := range ways {
		t.Run(name, func(t *testing.T) {
			c := spawn(t, "open", "local://")
			pid, dir := serverOf(t, c.hear())
			end(c)
			eventually(t, "the server is gone", func() bool { return !alive(pid) })
			eventually(t, "its folder is gone", func() bool { return !exists(dir) })
		})
	}
}

// TestLocalOutlivesCtrlC checks that an owner that handles Ctrl-C still has its server.
func TestLocalOutlivesCtrlC(t *testing.T) {
	needRedisServer(t)
	c := spawn(t, "deaf", "local://")
	serverOf(t, c.hear())
	if err := syscall.Kill(-c.cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	c.say("ping")
	if got := c.hear(); got != "pong" {
		t.Errorf("after Ctrl-C: %s", got)
	}
}

// TestLocalKilledEarly kills owners at any moment of their start.
func TestLocalKilledEarly(t *testing.T) {
	needRedisServer(t)
	root := t.TempDir()
	for range 12 {
		c := spawn(t, "open", "local://", "TMPDIR="+root)
		<-time.After(rand.N(60 * time.Millisecond))
		_ = c.cmd.Process.Kill()
		c.end()
	}
	// The folder is in the arguments of the guard, of the child, and of what is still to become the guard.
	eventually(t, "no guard is left", func() bool { return !commandLineHas(t, root) })
	if left, _ := filepath.Glob(root + "/*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestLocalDoesNotStart(t *testing.T) {
	bin := t.TempDir()
	fake := "#!/bin/sh\necho '*** FATAL CONFIG FILE ERROR ***'; echo 'Bad directive'; exit 1\n"
	if err := os.WriteFile(filepath.Join(bin, "redis-server"), []byte(fake), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	root := t.TempDir()
	t.Setenv("TMPDIR", root)
	_, err := Open(t.Context(), "local://", nil)
	if !errors.Is(err, ErrNoServer) || !strings.Contains(err.Error(), "Bad directive") {
		t.Errorf("got %v", err)
	}
	if left, _ := filepath.Glob(root + "/*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestLocalHangs cancels the start of a server that never listens, and does not end by itself.
func TestLocalHangs(t *testing.T) {
	bin, started := t.TempDir(), filepath.Join(t.TempDir(), "started")
	fake := "#!/bin/sh\necho waiting\n: >'" + started + "'\nexec sleep 1000\n"
	if err := os.WriteFile(filepath.Join(bin, "redis-server"), []byte(fake), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	ctx, cancel := context.WithCancel(t.Context())
	opened := make(chan error, 1)
	go func() {
		_, err := Open(ctx, "local://", nil)
		opened <- err
	}()
	eventually(t, "the server has started", func() bool { return exists(started) })
	cancel()
	if err := <-opened; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "waiting") {
		t.Errorf("got %v", err)
	}
}

func TestLocalNoFolder(t *testing.T) {
	needRedisServer(t)
	t.Setenv("TMPDIR", "/nowhere")
	if _, err := Open(t.Context(), "local://", nil); !errors.Is(err, ErrNoServer) || !strings.Contains(err.Error(), "mkdir") {
		t.Errorf("got %v", err)
	}
}

// TestLocalGuardStuck checks that Close ends a guard that does not react.
func TestLocalGuardStuck(t *testing.T) {
	needRedisServer(t)
	before := localEnd
	localEnd = 50 * time.Millisecond
	t.Cleanup(func() { localEnd = before })
	rdb, err := Open(t.Context(), "local://", nil)
	if err != nil {
		t.Fatal(err)
	}
	pid, dir := serverOf(t, "local "+rdb.URL())
	other := mustOpen(t, rdb.URL())
	guard, err := syscall.Getpgid(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(guard, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := rdb.Close(); err != nil || exists(dir) {
		t.Errorf("%v; the folder is there: %v", err, exists(dir))
	}
	eventually(t, "the server is gone", func() bool { return other.Redis().Ping(t.Context()).Err() != nil })
}

// TestLocalGuardKilled checks that Close still cleans up after somebody has killed the guard.
func TestLocalGuardKilled(t *testing.T) {
	needRedisServer(t)
	s, err := startLocal()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	killGroup(s.guard)
	if err := s.stop(); err != nil || exists(s.dir) {
		t.Errorf("%v; the folder is there: %v", err, exists(s.dir))
	}
}

// serverOf gives the process and the folder of the local server that a child has announced.
func serverOf(t *testing.T, announced string) (pid int, dir string) {
	t.Helper()
	url, ok := strings.CutPrefix(announced, "local ")
	if !ok {
		t.Fatalf("the child says %q", announced)
	}
	rdb := mustOpen(t, url)
	found := regexp.MustCompile(`process_id:(\d+)`).FindStringSubmatch(rdb.Redis().Info(t.Context(), "server").Val())
	if found == nil {
		t.Fatal("the server does not tell its process id")
	}
	pid, err := strconv.Atoi(found[1])
	dir = filepath.Dir(strings.TrimPrefix(url, "unix://"))
	if err != nil || !alive(pid) || !exists(dir) {
		t.Fatalf("the server is not there: %v, %d, %s", err, pid, dir)
	}
	return pid, dir
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
