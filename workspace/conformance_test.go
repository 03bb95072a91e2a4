package workspace_test

import (
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/workspace"
	"github.com/netspaces/netspaces/workspace/workspacetest"
)

func TestEmbedded(t *testing.T) {
	workspacetest.Run(t, opening("mem://"))
	workspacetest.RunAlone(t, opening("mem://"))
}

// TestRealRedis runs on all kinds of servers at the same time, since most tests wait most of the time. The scripts also
// prove there that they touch declared keys only; elsewhere they are as shipped.
func TestRealRedis(t *testing.T) {
	needRedis(t)
	t.Cleanup(workspace.GuardScripts())
	backend(t, "Standalone", func(t *testing.T) {
		if os.Getenv("NETSPACES_ALL") == "1" { // what follows has the same on one server for all tests
			workspacetest.Run(t, ofItsOwn)
		}
	})
	backend(t, "User", func(t *testing.T) {
		server := redistest.Start(t, documentedUser(t))
		workspacetest.Run(t, shared(server.Redis(), as("netspaces", server.URL()), ""))
	})
	backend(t, "UserAlone", func(t *testing.T) {
		server := redistest.Start(t, documentedUser(t))
		workspacetest.RunAlone(t, inTurn(server.Redis(), as("netspaces", server.URL())))
	})
	backend(t, "Cluster", func(t *testing.T) {
		cluster := redistest.StartCluster(t, 3, 1, steady, documentedUser(t, "in a cluster"))
		admin, address := openPatient(t, cluster.URL()).Redis(), as("netspaces", cluster.URL())
		t.Run("Shared", func(t *testing.T) { workspacetest.Run(t, shared(admin, address, "")) })
		t.Run("Alone", func(t *testing.T) { workspacetest.RunAlone(t, inTurn(admin, address)) })
	})
	backend(t, "Unix", func(t *testing.T) {
		server := redistest.Start(t)
		runConnection(t, shared(server.Redis(), server.SocketURL(), ""))
	})
	backend(t, "TLS", func(t *testing.T) {
		server := redistest.StartTLS(t, redistest.RequireClientCert)
		certificates := url.Values{"ca": {server.CAFile}, "cert": {server.CertFile}, "key": {server.KeyFile}}
		runConnection(t, shared(server.Redis(), server.URL()+"?"+certificates.Encode(), server.SocketURL()))
	})
	backend(t, "Sentinel", func(t *testing.T) {
		servers := redistest.StartSentinel(t)
		steadySentinels(t, servers)
		runConnection(t, shared(servers.Master().Redis(), servers.URL(), ""))
	})
}

func TestRealRedisFaults(t *testing.T) {
	needRedis(t)
	workspacetest.RunFaults(t, ofItsOwn)
}

func backend(t *testing.T, name string, run func(t *testing.T)) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		run(t)
	})
}

// runConnection is for servers that differ from others in how they are reached, and in nothing else.
func runConnection(t *testing.T, open func(*testing.T) workspacetest.Server) {
	if os.Getenv("NETSPACES_ALL") == "1" {
		workspacetest.Run(t, open)
	} else {
		workspacetest.RunConnection(t, open)
	}
}

// steady is configuration for clusters whose masters are replaced on demand only: on a machine that does much else, one may
// not answer for seconds, and a replica that takes over then has not heard the last writes.
const steady = "cluster-node-timeout 30000\ncluster-replica-no-failover yes"

// steadySentinels does the same for servers that Sentinels watch.
func steadySentinels(t *testing.T, servers *redistest.Sentinel) {
	t.Helper()
	for _, sentinel := range servers.Sentinels() {
		err := sentinel.Redis().Do(t.Context(), "SENTINEL", "SET", "mymaster", "down-after-milliseconds", 60_000).Err()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// ofItsOwn gives each test a server of its own.
func ofItsOwn(t *testing.T) workspacetest.Server {
	server := redistest.Start(t)
	return workspacetest.Server{Client: openPatient(t, server.URL()), Admin: server.Redis()}
}

// shared has all tests use one server.
func shared(admin redis.UniversalClient, address, plain string) func(*testing.T) workspacetest.Server {
	return func(t *testing.T) workspacetest.Server {
		return workspacetest.Server{Client: openPatient(t, address), Admin: admin, Plain: plain, Shared: true}
	}
}

// inTurn has one test after the other use a server, which each of them leaves empty.
func inTurn(admin redis.UniversalClient, address string) func(*testing.T) workspacetest.Server {
	var turn sync.Mutex
	return func(t *testing.T) workspacetest.Server {
		turn.Lock()
		t.Cleanup(turn.Unlock)
		return workspacetest.Server{Client: openPatient(t, address), Admin: admin}
	}
}

// documentedUser is a line of configuration that makes the user of docs/redis.md, with what it needs besides in some
// places.
func documentedUser(t *testing.T, places ...string) string {
	t.Helper()
	text, err := os.ReadFile("../docs/redis.md")
	if err != nil {
		t.Fatal(err)
	}
	rules := []string{"user netspaces"}
	for _, pattern := range append([]string{`(?m)^ +ACL SETUSER netspaces (reset .*)$`}, places...) {
		if len(rules) > 1 {
			pattern = "(?m)^- " + pattern + ": `(.*?)`"
		}
		lines := regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1)
		if len(lines) != 1 {
			t.Fatalf("docs/redis.md has %d lines that match %s", len(lines), pattern)
		}
		rules = append(rules, lines[0][1])
	}
	return strings.Replace(strings.Join(rules, " "), ">PASSWORD", ">secret", 1)
}

// as puts the user of documentedUser into an address.
func as(user, address string) string {
	return strings.Replace(address, "://", "://"+url.UserPassword(user, "secret").String()+"@", 1)
}

// opening gives each test a server of its own, by way of an address that starts one.
func opening(server string) func(*testing.T) workspacetest.Server {
	return func(t *testing.T) workspacetest.Server {
		return workspacetest.Server{Client: openPatient(t, openUntilEnd(t, server).URL())}
	}
}

// openPatient opens a client that is patient: where many tests share few cores, some seconds without a reply do not mean
// that the connection is broken.
func openPatient(t *testing.T, address string) *redisx.Client {
	t.Helper()
	mark := "?"
	if strings.Contains(address, "?") {
		mark = "&"
	}
	return openUntilEnd(t, address+mark+"read_timeout=20s")
}

func openUntilEnd(t *testing.T, address string) *redisx.Client {
	t.Helper()
	rdb, err := redisx.Open(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rdb.Close(); err != nil {
			t.Error(err)
		}
	})
	return rdb
}

// needRedis skips a test where there is no redis-server. Under CI=true that is a failure: nobody would see the skip.
func needRedis(t testing.TB) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}
