package redisx

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/redisx/redistest"
)

func TestSentinel(t *testing.T) {
	servers := redistest.StartSentinel(t)
	rdb := mustOpen(t, servers.URL())
	if rdb.Cluster() || !strings.HasPrefix(rdb.String(), servers.URL()) {
		t.Errorf("cluster %v, called %q", rdb.Cluster(), rdb)
	}
	e := newEar()
	stopListening := rdb.Listen("inbox", e.listener())
	defer stopListening()
	counts, stop := joining(t, rdb, "a", "b")
	defer stop()
	goOn(t, counts)
	e.mustHear(t, rdb, "inbox", "PUBLISH")

	downs := e.downs.Load()
	servers.Failover()
	goOn(t, counts)
	eventually(t, "the failover is told", func() bool { return e.downs.Load() > downs })
	e.mustHear(t, rdb, "inbox", "PUBLISH")

	downs = e.downs.Load()
	servers.Master().Kill()
	goOn(t, counts)
	eventually(t, "the loss is told", func() bool { return e.downs.Load() > downs })
	e.mustHear(t, rdb, "inbox", "PUBLISH")
}

// TestSentinelUsers has the sentinels want another user than the server.
func TestSentinelUsers(t *testing.T) {
	servers := redistest.StartSentinel(t)
	users := func(name string, servers []*redistest.Server) {
		for _, s := range servers {
			err := s.Redis().Do(t.Context(), "ACL", "SETUSER", name, "on", ">"+name+"-"+secret, "+@all", "~*", "&*").Err()
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	users("guard", servers.Sentinels())
	users("bob", servers.Servers())
	address := strings.Replace(servers.URL(), "://", "://bob:bob-"+secret+"@", 1)
	rdb := mustOpen(t, address+"?sentinel_username=guard&sentinel_password=guard-"+secret)
	if _, err := rdb.Run(t.Context(), join, []string{"k"}, "a"); err != nil {
		t.Error(err)
	}
	who, err := rdb.Redis().Do(t.Context(), "ACL", "WHOAMI").Text()
	if who != "bob" || err != nil || strings.Contains(rdb.String(), secret) {
		t.Errorf("it is %q at %s: %v", who, rdb, err)
	}
	_, err = Open(t.Context(), address+"?sentinel_username=guard&sentinel_password="+secret, nil)
	if !errors.Is(err, ErrAuth) || !strings.Contains(err.Error(), "?sentinel_password=") {
		t.Errorf("a wrong password for the sentinels: %v", err)
	}
	mustNotTell(t, err, secret)
}

func TestSentinelWrong(t *testing.T) {
	servers := redistest.StartSentinel(t)
	sentinel := servers.Sentinels()[0].Addr()
	tests := []struct {
		url  string
		kind error
		says string
	}{
		{"redis+sentinel://:" + secret + "@" + sentinel + "/nobody", ErrURL, `no master "nobody"`},
		{"redis://" + sentinel, ErrURL, "redis+sentinel://" + sentinel + "/MASTER"},
		{"redis+sentinel://" + servers.Master().Addr() + "/x", ErrURL, "no sentinel"},
		{fmt.Sprintf("redis+sentinel://:%s@127.0.0.1:%d/x", secret, redistest.FreePort(t)), ErrNoServer, "refused"},
	}
	for _, tt := range tests {
		_, err := Open(t.Context(), tt.url, nil)
		if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v", tt.url, err)
		}
		mustNotTell(t, err, secret)
	}
}
