package workspace_test

import (
	"testing"

	"github.com/netspaces/netspaces/workspace/workspacetest"
)

// The checker of histories is tested by histories that are right, and by some with one thing wrong.
func TestHistoryCheckTellsRightFromWrong(t *testing.T) {
	workspacetest.RunSpec(t)
}
