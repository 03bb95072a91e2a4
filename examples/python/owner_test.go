package python_test

import (
	"errors"
	"testing"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// Python owns workspaces as Go does (W1, W3): they end with it.
func TestPythonOwns(t *testing.T) {
	s := newSite(t)
	closing, dying := startPeer(t, s.server.URL(), "of python", "30"), startPeer(t, s.server.URL(), "of another", "4")
	closing.do("store", "v", 1)
	dying.do("store", "v", 1)
	ws, err := workspace.Open(s.ctx, s.rdb, "of python", nil)
	s.must(err)
	if ws.Mine() {
		t.Error("Go owns what Python owns")
	}
	infos, err := workspace.List(s.ctx, s.rdb)
	s.must(err)
	if len(infos) != 3 || infos[1].Name != "of python" || infos[1].Persistent ||
		infos[1].Owner.PID != closing.cmd.Process.Pid {
		t.Errorf("listed: %+v", infos)
	}
	closing.do("close")
	if err := ws.Store(s.ctx, "v", 1); !errors.Is(err, workspace.ErrNoWorkspace) {
		t.Errorf("%v, want ErrNoWorkspace", err)
	}

	other, err := workspace.Use(s.ctx, s.rdb, "of another", false)
	s.must(err)
	finder := s.start(other.Find, "never stored")
	dying.kill()
	s.leaseEnds("nws:{of another}:ws")
	heir := startPeer(t, s.server.URL(), "of another", "30") // cleans up first
	if w := <-finder; !errors.Is(w.err, workspace.ErrNoWorkspace) {
		t.Errorf("%q, %v; want ErrNoWorkspace", w.text, w.err)
	}
	s.equal("what the heir finds", heir.do("ifind_try", "v"), "[]")
	heir.do("close")
	names, err := s.server.Redis().Keys(s.ctx, "nws:*of *").Result()
	if err != nil || len(names) > 0 {
		t.Errorf("left behind: %q, %v", names, err)
	}
	names, err = s.server.Redis().ZRange(s.ctx, "nws:names", 0, -1).Result()
	if err != nil || len(names) != 1 || names[0] != space {
		t.Errorf("listed: %q, %v", names, err)
	}
}

// leaseEnds waits until the owner of a workspace no longer counts as alive, by the clock of Redis.
func (s *site) leaseEnds(key string) {
	s.Helper()
	for {
		ends, err := s.server.Redis().HGet(s.ctx, key, "lease").Int64()
		s.must(err)
		now, err := s.server.Redis().Time(s.ctx).Result()
		s.must(err)
		left := time.UnixMilli(ends).Sub(now)
		if left <= 0 {
			return
		}
		select {
		case <-time.After(left):
		case <-s.ctx.Done():
			s.Fatalf("the lease runs for another %v", left)
		}
	}
}
