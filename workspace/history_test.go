package workspace_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/netspaces/netspaces/workspace"
	"github.com/netspaces/netspaces/workspace/workspacetest"
)

// The environment says which histories are made: NETSPACES_HISTORY_SEED is the first one's seed, where it should be one that
// is known, and NETSPACES_HISTORIES how many there are.
func TestRealRedisHistories(t *testing.T) {
	needRedis(t)
	first, n := rand.Uint64N(1_000_000)+1, uint64(5)
	if text := os.Getenv("NETSPACES_HISTORY_SEED"); text != "" {
		first = environment(t, text)
		n = 1
	}
	if text := os.Getenv("NETSPACES_HISTORIES"); text != "" {
		n = environment(t, text)
	}
	stage := workspacetest.NewStage(t)
	for seed := first; seed < first+n; seed++ {
		if result := workspacetest.History(t, stage, &workspacetest.HistoryOptions{Seed: seed}); result != porcupine.Ok {
			t.Fatalf("the history is %s; NETSPACES_HISTORY_SEED=%d makes the same calls again", result, seed)
		}
	}
}

// TestHistoriesSeeWhatIsDoneTwice shows that the check can fail: requests that Redis does not know again are done twice.
func TestHistoriesSeeWhatIsDoneTwice(t *testing.T) {
	needRedis(t)
	t.Cleanup(workspace.ForgetRequests())
	workspacetest.HistoryFails(t, workspacetest.NewStage(t), 20)
}

func environment(t *testing.T, text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 {
		t.Fatalf("%q should be a number", text)
	}
	return n
}
