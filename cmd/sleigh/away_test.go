//go:build unix

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/sleigh"
)

// A worker that was cut off for longer than its lease is not ready, until it is heard of again; nor does it need Redis to leave.
func TestCutOff(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb, err := redisx.Open(t.Context(), server.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	s, err := sleigh.Join(t.Context(), rdb, "farm", &sleigh.Options{Lease: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	worker := begin(t, server.URL(), nil, "worker", "--team", "farm", "--listen", "127.0.0.1:0")
	at := "http://" + worker.logged("listening", "address")
	answers := func(want int) {
		t.Helper()
		soon(t, fmt.Sprintf("readyz is %d", want), func() bool {
			code, _ := get(t, at+"/readyz")
			return code == want
		})
	}
	answers(200)
	server.Pause()
	answers(503)
	server.Resume()
	answers(200)
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	server.Kill()
	worker.terminate()
	worker.ends(0)
}

// A worker that is told to leave before it is connected leaves as any other does.
func TestLeavesWhileItConnects(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Pause()
	worker := begin(t, server.URL(), nil, "worker", "--team", "farm", "--listen", "127.0.0.1:0")
	worker.logged("listening", "address")
	worker.terminate()
	worker.ends(0)
}

// What waits for a Redis that does not answer ends at Ctrl-C: what only reads without a word, and a run says what it waits for.
func TestInterruptedWithoutRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	folder := t.TempDir()
	begin(t, server.URL(), nil, "worker", "--team", "farm", "--allow-commands")
	programs := map[string]*program{
		"a run":   begin(t, server.URL(), nil, "each", "--team", "farm", "--", "sh", "-c", "echo > $0; sleep 600", ":::", folder+"/run"),
		"a local": begin(t, server.URL(), nil, "each", "--local", "1", "--", "sh", "-c", "echo > $0; sleep 600", ":::", folder+"/local"),
	}
	soon(t, "the commands run", func() bool {
		files, err := os.ReadDir(folder)
		return err == nil && len(files) == len(programs)
	})
	looks := map[string]*program{
		"status": begin(t, server.URL(), nil, "status", "farm", "--watch", "--verbose"),
		"logs":   begin(t, server.URL(), nil, "logs", "farm", "--follow", "--verbose"),
	}
	for name, p := range looks {
		soon(t, name+" has begun", func() bool { return strings.Contains(p.log(), "msg=connected") })
	}
	server.Pause()
	for _, all := range []map[string]*program{programs, looks} {
		for _, p := range all {
			if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, p := range looks {
		p.ends(130)
		if text := p.log(); strings.Contains(text, "sleigh: ") {
			t.Errorf("%s says %q", name, text)
		}
	}
	for name, p := range programs {
		p.ends(130)
		if text := p.log(); !strings.Contains(text, "waiting for Redis, which does not answer; a second Ctrl-C ends this at once") {
			t.Errorf("%s says %q", name, text)
		}
	}
}
