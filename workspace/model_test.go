package workspace_test

import (
	"flag"
	"os"
	"testing"

	"github.com/netspaces/netspaces/workspace"
	"github.com/netspaces/netspaces/workspace/workspacetest"
)

// Random sequences of calls take the longer, the more of them there are: some seconds by default, and what -rapid.checks
// or RAPID_CHECKS say.
func init() {
	if os.Getenv("RAPID_CHECKS") == "" {
		if err := flag.Set("rapid.checks", "40"); err != nil {
			panic(err)
		}
	}
}

func TestEmbeddedModel(t *testing.T) {
	workspacetest.RunModel(t, opening("mem://"))
}

// The scripts are whole without the common cases that stand before some of them.
func TestSlowScriptsModel(t *testing.T) {
	t.Cleanup(workspace.SlowScripts())
	workspacetest.RunModel(t, opening("mem://"))
}

func TestRealRedisModel(t *testing.T) {
	needRedis(t)
	workspacetest.RunModel(t, opening("local://"))
}
