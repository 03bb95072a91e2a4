package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/workspace"
)

// What waits goes on waiting while Redis is away, and says so in lines for people, each of them once.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.AppendOnly)
	s := &site{t: t, url: server.URL()}
	if err := s.command("declare", "ws", "v", "fifo").Run(); err != nil {
		t.Fatal(err)
	}
	cmd := s.command("fetch", "ws", "v", "--timeout", "60s")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.awaitWaiters("v", 1)
	server.Kill()
	server.Restart()
	rdb, err := redisx.Open(t.Context(), s.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	ws, err := workspace.Use(t.Context(), rdb, "ws", false)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	if err := ws.Store(t.Context(), "v", 7); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || out.String() != "7\n" {
		t.Errorf("%v, stdout %q", err, &out)
	}
	for line := range strings.Lines(errs.String()) {
		if !strings.HasPrefix(line, "nws: redis ") || strings.Count(errs.String(), line) > 1 {
			t.Errorf("stderr has a line of another kind, or twice: %s", &errs)
		}
	}
	if errs.Len() == 0 {
		t.Error("not a word about Redis that is away")
	}
}
