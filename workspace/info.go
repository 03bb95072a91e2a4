package workspace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/netspaces/netspaces/redisx"
)

// Info describes a workspace.
type Info struct {
	Name       string
	Mine       bool // whether a handle of this process owns it
	Owner      Owner
	Persistent bool
	Variables  int // how many
}

// Owner is the process that owns a workspace; all is empty if none that lives does.
type Owner struct {
	Host    string
	PID     int
	Program string
}

// List describes all workspaces on a server or cluster, in the order of their names. It blocks for some round trips; each
// workspace is described as it is at one moment, but not all at the same. Where one cannot be described, it returns the
// others and an error that names it.
func List(ctx context.Context, rdb *redisx.Client) ([]Info, error) {
	names, err := texts(plain(ctx, rdb, "ZRANGE", namesKey, 0, -1))
	if err != nil {
		return nil, fmt.Errorf("workspace: listing workspaces: %w", err)
	}
	slices.Sort(names)
	var infos []Info
	var failed []error
	for some := range slices.Chunk(names, listBatch) {
		replies, errs := make([]reply, len(some)), make([]error, len(some))
		var asking sync.WaitGroup
		for i, name := range some { // calls that are made together travel together
			asking.Go(func() { replies[i], errs[i] = call(ctx, rdb, describeScript, keysOf(name).forScript("")) })
		}
		asking.Wait()
		for i, r := range replies {
			if errs[i] != nil {
				failed = append(failed, fmt.Errorf("workspace %q: %w", some[i], errs[i]))
			}
			if r.word == "OK" { // it is still there
				infos = append(infos, Info{
					Name: some[i], Mine: strings.HasPrefix(r.text(0), process+"-"),
					Owner:      Owner{Host: r.text(1), PID: r.number(2), Program: r.text(3)},
					Persistent: r.text(5) == "1", Variables: r.number(6),
				})
			}
		}
	}
	return infos, errors.Join(failed...)
}
