package workspace_test

import (
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/workspace/workspacetest"
)

func FuzzValues(f *testing.F) { workspacetest.FuzzValues(f, fuzzing(f, "mem://")) }
func FuzzTyped(f *testing.F)  { workspacetest.FuzzTyped(f, fuzzing(f, "mem://")) }
func FuzzDamage(f *testing.F) { workspacetest.FuzzDamage(f, fuzzing(f, "mem://")) }

// A real server is slower to fuzz, and says other things of what is wrong.
func FuzzRealDamage(f *testing.F) {
	workspacetest.FuzzDamage(f, fuzzing(f, redistest.Start(f).URL()))
}

func fuzzing(f *testing.F, address string) *redisx.Client {
	f.Helper()
	rdb, err := redisx.Open(f.Context(), address, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = rdb.Close() })
	return rdb
}
