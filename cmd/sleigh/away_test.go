//go:build unix

package main

import (
	"fmt"
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
