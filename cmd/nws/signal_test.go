//go:build unix

package main

import (
	"bytes"
	"errors"
	"os/exec"
	"syscall"
	"testing"
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
