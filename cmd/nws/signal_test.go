//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/netspaces/netspaces/redisx/redistest"
)

// Signals end what waits, with their own exit codes, quietly, and leave nothing behind: no waiter, and no value is lost.
func TestSignals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		signal syscall.Signal
		code   int
		args   []string
	}{
		{"fetch INT", syscall.SIGINT, 130, []string{"fetch", "ws", "v"}},
		{"fetch TERM", syscall.SIGTERM, 143, []string{"fetch", "ws", "v"}},
		{"find INT", syscall.SIGINT, 130, []string{"find", "ws", "v"}},
		{"follow INT", syscall.SIGINT, 130, []string{"find", "ws", "v", "--follow"}},
		{"follow TERM", syscall.SIGTERM, 143, []string{"fetch", "ws", "v", "--follow"}},
		{"with timeout", syscall.SIGTERM, 143, []string{"fetch", "ws", "v", "--timeout", "1h"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			cmd := s.command(test.args...)
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			s.awaitWaiters("v", 1)
			if err := cmd.Process.Signal(test.signal); err != nil {
				t.Fatal(err)
			}
			failed, ok := errors.AsType[*exec.ExitError](cmd.Wait())
			if !ok || failed.ExitCode() != test.code || out.Len()+errs.Len() > 0 {
				t.Errorf("%v, want exit code %d; stdout %q, stderr %q", failed, test.code, &out, &errs)
			}
			s.awaitWaiters("v", 0)
			s.store("v", 1)
			var value int
			if there, err := s.ws.TryFetch(t.Context(), "v", &value); !there || err != nil {
				t.Errorf("the value is gone: %v", err)
			}
		})
	}
}

// What only reads ends without Redis, and does not say that something may have been done.
func TestSignalWithoutRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := &site{t: t, url: server.URL()}
	if err := s.command("declare", "ws", "v", "fifo").Run(); err != nil {
		t.Fatal(err)
	}
	var programs []*exec.Cmd
	var logs []*bufio.Reader
	for _, args := range [][]string{{"watch", "ws", "-v"}, {"find", "ws", "v", "--follow", "-v"}} {
		cmd := s.command(args...)
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = cmd.Process.Kill() }()
		log := bufio.NewReader(stderr)
		for line := ""; !strings.Contains(line, "msg=connected"); {
			if line, err = log.ReadString('\n'); err != nil {
				t.Fatalf("%v: %v", args, err)
			}
		}
		programs, logs = append(programs, cmd), append(logs, log)
	}
	server.Pause()
	for i, cmd := range programs {
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(logs[i]); err != nil || strings.Contains(string(rest), "nws: ") {
			t.Errorf("it says %q, %v", rest, err)
		}
		failed, ok := errors.AsType[*exec.ExitError](cmd.Wait())
		if !ok || failed.ExitCode() != 130 {
			t.Errorf("%v, want exit code 130", failed)
		}
	}
}
