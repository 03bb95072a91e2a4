package sleigh_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/redisx/redistest"
)

// clusterEnv has the tests run on a cluster instead of the other servers.
const clusterEnv = "SLEIGH_TEST_CLUSTER"

// TestCluster runs the suite once more on a cluster, by this very program: with NETSPACES_ALL=1 all of it, else a part.
func TestCluster(t *testing.T) {
	if os.Getenv(clusterEnv) != "" {
		return // this is that run
	}
	needRedisServer(t)
	cluster := redistest.StartCluster(t, 3, 1, "cluster-node-timeout 30000", "cluster-replica-no-failover yes")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	part := "^Test(S3|S9|S13(Second|Detach|All))"
	if os.Getenv("NETSPACES_ALL") == "1" {
		part = "."
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run", part, "-test.v", "-test.timeout", "8m")
	ours := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "NETSPACES_ALL=") })
	cmd.Env = append(ours, clusterEnv+"="+cluster.URL())
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
