package workspace_test

import (
	"net/url"
	"os"
	"os/exec"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
	"github.com/netspaces/netspaces/workspace/workspacetest"
)

func TestEmbedded(t *testing.T) {
	workspacetest.Run(t, opening("mem://"))
}

// On the real server the scripts also prove that they touch declared keys only; elsewhere they are as shipped.
func TestRealRedis(t *testing.T) {
	needRedis(t)
	t.Cleanup(workspace.GuardScripts())
	workspacetest.Run(t, opening("local://"))
}

func TestRealRedisFaults(t *testing.T) {
	needRedis(t)
	workspacetest.RunFaults(t, opening("local://"))
}

// opening gives each test a server of its own. Its clients are patient: where many tests share few cores, some seconds
// without a reply do not mean that the connection is broken.
func opening(server string) func(*testing.T) *redisx.Client {
	return func(t *testing.T) *redisx.Client {
		address, err := url.Parse(openUntilEnd(t, server).URL())
		if err != nil {
			t.Fatal(err)
		}
		address.RawQuery = "read_timeout=20s"
		return openUntilEnd(t, address.String())
	}
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
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}
