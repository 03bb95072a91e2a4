package netspaces_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/netspaces/netspaces"

// layers ranks the folders of the module, "" being its root. A package imports
// only from its own folder and from folders of a lower rank.
var layers = map[string]int{
	"redisx":    1,
	"workspace": 2,
	"sleigh":    3,
	"cmd":       4,
	"examples":  4,
	"scripts":   4,
	"":          5,
}

// core lists the folders that a user's program links, and coreModules all that
// these may import besides the standard library and each other.
var (
	core        = []string{"redisx", "workspace", "sleigh"}
	coreModules = []string{"github.com/redis/go-redis/v9", "github.com/alicebob/miniredis/v2"}
)

// edge is one import. Test says that only test files have it.
type edge struct {
	From, To string
	Test     bool
}

func TestImportsPointOneWay(t *testing.T) {
	// Files for one system only are seen by asking for that system.
	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			edges, err := listEdges(goos)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for _, e := range edges {
				if from, ok := folder(e.From); ok {
					seen[from] = true
				}
				if err := checkEdge(e); err != nil {
					t.Error(err)
				}
			}
			for _, name := range core {
				if !seen[name] {
					t.Errorf("go list showed no imports of %s", name)
				}
			}
		})
	}
}

func TestImportCheckTellsRightFromWrong(t *testing.T) {
	const m = module
	for _, tc := range []struct {
		edge edge
		ok   bool
	}{
		{edge{From: m + "/workspace", To: m + "/redisx"}, true},
		{edge{From: m + "/sleigh", To: m + "/redisx"}, true},
		{edge{From: m + "/cmd/nws", To: m + "/workspace"}, true},
		{edge{From: m + "/cmd/nws", To: m + "/cmd/internal/text"}, true},
		{edge{From: m + "/workspace/workspacetest", To: m + "/workspace"}, true},
		{edge{From: m + "/sleigh", To: "context"}, true},
		{edge{From: m + "/sleigh", To: "encoding/json"}, true},
		{edge{From: m + "/redisx", To: "github.com/redis/go-redis/v9"}, true},
		{edge{From: m + "/redisx", To: "github.com/alicebob/miniredis/v2/server"}, true},
		{edge{From: m + "/examples/primes", To: "github.com/spf13/pflag"}, true},
		{edge{From: m + "/workspace", To: "pgregory.net/rapid", Test: true}, true},
		{edge{From: m + "/workspace/workspacetest", To: "pgregory.net/rapid"}, true},

		{edge{From: m + "/redisx", To: m + "/workspace"}, false},
		{edge{From: m + "/redisx", To: m + "/workspace", Test: true}, false},
		{edge{From: m + "/workspace", To: m + "/sleigh"}, false},
		{edge{From: m + "/workspace/workspacetest", To: m + "/sleigh"}, false},
		{edge{From: m + "/sleigh", To: m + "/cmd/internal/text"}, false},
		{edge{From: m + "/cmd/nws", To: m + "/examples/primes"}, false},
		{edge{From: m + "/sleigh", To: m}, false},
		{edge{From: m + "/sleigh", To: m + "/unknown"}, false},
		{edge{From: m + "/unknown", To: "context"}, false},
		{edge{From: m + "/workspace", To: "github.com/spf13/pflag"}, false},
		{edge{From: m + "/redisx", To: "github.com/redis/go-redis/v9fork"}, false},
		{edge{From: m + "/sleigh", To: "golang.org/x/sync/errgroup"}, false},
	} {
		if err := checkEdge(tc.edge); (err == nil) != tc.ok {
			t.Errorf("%+v: allowed = %t, want %t (%v)", tc.edge, err == nil, tc.ok, err)
		}
	}
}

// checkEdge says what is wrong with an import, or returns nil.
func checkEdge(e edge) error {
	from, ok := folder(e.From)
	if !ok {
		return fmt.Errorf("%s is not in this module", e.From)
	}
	fromLayer, ok := layers[from]
	if !ok {
		return fmt.Errorf("%s lies in a folder without a rank: add %q to layers", e.From, from)
	}
	if to, ok := folder(e.To); ok {
		toLayer, ok := layers[to]
		if !ok || (to != from && toLayer >= fromLayer) {
			return fmt.Errorf("%s imports %s: imports point one way, redisx ← workspace ← sleigh ← cmd", e.From, e.To)
		}
		return nil
	}
	if e.Test || isStandard(e.To) || !isCore(e.From) {
		return nil
	}
	for _, path := range coreModules {
		if within(e.To, path) {
			return nil
		}
	}
	return fmt.Errorf("%s imports %s: outside the standard library it may use only %s",
		e.From, e.To, strings.Join(coreModules, " and "))
}

// folder returns the top folder that a package of this module lies in.
func folder(pkg string) (string, bool) {
	if !within(pkg, module) {
		return "", false
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(pkg, module), "/"), "/")
	return name, true
}

// isCore tells whether a program that uses this module links the package.
// Packages for tests, such as workspacetest, are linked by tests alone.
func isCore(pkg string) bool {
	if strings.HasSuffix(pkg, "test") {
		return false
	}
	for _, name := range core {
		if within(pkg, module+"/"+name) {
			return true
		}
	}
	return false
}

// isStandard tells whether a package is of the standard library, whose paths
// have no domain.
func isStandard(pkg string) bool {
	first, _, _ := strings.Cut(pkg, "/")
	return !strings.Contains(first, ".")
}

// within tells whether a package is at path or below it.
func within(pkg, path string) bool {
	return pkg == path || strings.HasPrefix(pkg, path+"/")
}

// listEdges asks go list for all imports in this module on a system.
func listEdges(goos string) ([]edge, error) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Env = append(os.Environ(), "GOOS="+goos)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.String())
	}
	var edges []edge
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var pkg struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			return edges, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		for _, to := range pkg.Imports {
			edges = append(edges, edge{From: pkg.ImportPath, To: to})
		}
		for _, to := range append(pkg.TestImports, pkg.XTestImports...) {
			edges = append(edges, edge{From: pkg.ImportPath, To: to, Test: true})
		}
	}
}
