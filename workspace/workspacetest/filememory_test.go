package workspacetest

import (
	"context"
	"io"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// onlyWriter can be written bytes, and no text.
type onlyWriter struct{ n int64 }

func (w *onlyWriter) Write(text []byte) (int, error) {
	w.n += int64(len(text))
	return len(text), nil
}

// F2: a file comes out without being in memory twice. It is measured on a server of its own, in a process with nothing else
// in it: by all that is allocated, whether or not it is freed soon. What is stored grows while it is read, and takes more.
func TestF2InMemoryOnce(t *testing.T) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	rdb, err := redisx.Open(ctx, "local://", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rdb.Close() }()
	ws, err := workspace.Open(ctx, rdb, "files", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		most uint64 // of the file's size
		call func() (int64, error)
	}{
		{"StoreFile", 3, func() (int64, error) { return ws.StoreFile(ctx, "v", zeros{}, workspace.MaxValue) }},
		{"FindFile to a writer", 1, func() (int64, error) { return ws.FindFile(ctx, "v", &onlyWriter{}) }},
		{"FindFile to a string writer", 1, func() (int64, error) { return ws.FindFile(ctx, "v", io.Discard) }},
		{"FetchFile to a writer", 1, func() (int64, error) { return ws.FetchFile(ctx, "v", &onlyWriter{}) }},
		{"StoreFile of what is left", 3, func() (int64, error) {
			return ws.StoreFile(ctx, "v", io.LimitReader(zeros{}, workspace.MaxValue), 0)
		}},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		n, err := c.call()
		runtime.ReadMemStats(&after)
		if n != workspace.MaxValue || err != nil {
			t.Fatalf("%s: %d, %v", c.name, n, err)
		}
		allocated := after.TotalAlloc - before.TotalAlloc
		t.Logf("%s allocates %d MiB for a file of %d MiB", c.name, allocated>>20, workspace.MaxValue>>20)
		if allocated > c.most*workspace.MaxValue+8<<20 {
			t.Errorf("%s allocates %d MiB for a file of %d MiB", c.name, allocated>>20, workspace.MaxValue>>20)
		}
	}
}
