package sleigh

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// program is what a process runs.
type program struct {
	Name      string   `json:"program"`           // of its file
	Version   string   `json:"version,omitempty"` // of its main module, as Go has noted it
	Build     string   `json:"build"`             // the beginning of the SHA-256 of its file
	Functions []string `json:"functions"`         // that are registered
}

// terms is what the master wants of workers, and tells them.
type terms struct {
	program
	SameBuild bool          `json:"sameBuild"`
	Lasts     bool          `json:"lasts,omitempty"` // the team does not end with its master
	Lease     time.Duration `json:"lease"`
	Drain     time.Duration `json:"drain"`
	Level     slog.Level    `json:"level"`   // Options.LogLevel
	Workers   int           `json:"workers"` // to be there at least
	Master    Master        `json:"master"`  // who made the team
}

// errRefused says that the process may not be a worker of the team.
var errRefused = errors.New("the team does not want this worker")

// known are the functions that were registered when Main was called; nil if it was not.
var known []string

func functions() []string {
	registry.Lock()
	defer registry.Unlock()
	names := make([]string, 0, len(registry.byName))
	for name := range registry.byName {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// thisProgram describes the program of this process.
func thisProgram() program {
	p := program{Name: filepath.Base(os.Args[0]), Build: buildOf(), Functions: functions()}
	if info, ok := debug.ReadBuildInfo(); ok {
		p.Version = info.Main.Version
	}
	return p
}

// buildOf tells programs apart by the content of their file: what Go notes in it is the same for all that are built of a source
// that is not committed.
func buildOf() string {
	sum, err := programSum()
	if err != nil {
		return "unknown"
	}
	return sum[:16]
}

// programSum is the SHA-256 of the file of this program, in hex.
var programSum = sync.OnceValues(func() (string, error) {
	file, err := openProgram()
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", fmt.Errorf("sleigh: cannot read this program: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
})

// openProgram opens the file that runs, even if there is another one of its name now.
func openProgram() (*os.File, error) {
	file, err := os.Open("/proc/self/exe")
	if runtime.GOOS != "linux" || err != nil {
		var path string
		if path, err = os.Executable(); err == nil {
			file, err = os.Open(path) //nolint:gosec // It is our own.
		}
	}
	if err != nil {
		return nil, fmt.Errorf("sleigh: cannot read this program: %w", err)
	}
	return file, nil
}

// mismatch says why a program is none for the team; empty if it is.
func (t *terms) mismatch(p program) string {
	missing := slices.DeleteFunc(slices.Clone(t.Functions), func(name string) bool { return slices.Contains(p.Functions, name) })
	switch {
	case len(missing) > 0:
		return fmt.Sprintf("the program %s does not register %s, which the master's does", p.Name, strings.Join(missing, ", "))
	case t.SameBuild && t.Build != p.Build:
		return fmt.Sprintf("the program %s is build %s, the master's is %s", p.Name, p.Build, t.Build)
	}
	return ""
}

// admit checks whether this process may be a worker, and tells the master if it may not. It waits until the master has told
// its terms.
func admit(ctx context.Context, own *workspace.Workspace, p program) (terms, error) {
	var t terms
	if err := own.Find(ctx, termsVar, &t); err != nil {
		return t, err
	}
	reason := t.mismatch(p)
	if reason == "" {
		return t, nil
	}
	return t, errors.Join(fmt.Errorf("%w: %s", errRefused, reason), refuse(ctx, own, reason))
}

// hostname is the name of this machine.
var hostname = func() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}
