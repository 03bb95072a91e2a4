package each

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// AllowEnv is the variable of a worker's environment that lets it run commands: "all" or "1" for any, or a list of programs,
// with commas between them, as AllowCommands takes it.
const AllowEnv = "NETSPACES_ALLOW_COMMANDS"

// AllowCommands lets the workers of this process, and those that it launches, run commands: all, or those of the programs
// that are given. Call it before sleigh.Main. A program is given as an absolute path, or by a name without a slash, which
// means what that is on the worker's PATH: "ls" allows ls and /usr/bin/ls, if that is where it is, but neither ./ls nor
// /tmp/ls. Whoever may run a shell, env, find or the like may run anything. It sets AllowEnv.
func AllowCommands(programs ...string) {
	list := "all"
	if len(programs) > 0 {
		list = strings.Join(programs, ",")
	}
	_ = os.Setenv(AllowEnv, list) // it fails for names that are none
}

// permission is what a worker may run.
type permission struct {
	all      bool
	programs []string
}

// allowed is the permission of this process. It is read each time, since it is a part of the environment that others see.
func allowed() permission {
	var p permission
	for program := range strings.SplitSeq(os.Getenv(AllowEnv), ",") {
		switch program = strings.TrimSpace(program); program {
		case "":
		case "all", "1":
			p.all = true
		default:
			p.programs = append(p.programs, program)
		}
	}
	return p
}

// allows reports whether a program may run that is at the path; it is empty if there is no such program.
func (p permission) allows(path, program string) bool {
	if p.all {
		return true
	}
	if path == "" {
		return slices.Contains(p.programs, program) // to be told that it is not there
	}
	for _, listed := range p.programs {
		if strings.ContainsRune(listed, filepath.Separator) && !filepath.IsAbs(listed) {
			continue // relative to what?
		}
		if at, err := find(listed); err == nil && at == path {
			return true
		}
	}
	return false
}

// find gives the path of a program: itself, if it has a slash, or where it is on the PATH.
func find(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}

// ErrNotAllowed says that a worker may not run a command.
var ErrNotAllowed = errors.New("the worker may not run this command")

// NotAllowedError says which worker refused a command. It is an ErrNotAllowed.
type NotAllowedError struct {
	Host    string
	Worker  int // rank
	Program string
	Listed  bool // the worker may run others
}

func (e *NotAllowedError) Error() string {
	if e.Listed {
		return fmt.Sprintf("worker %d (%s) may not run %s: it was started with a list of programs without it (--allow-commands, %s)",
			e.Worker, e.Host, e.Program, AllowEnv)
	}
	return fmt.Sprintf("worker %d (%s) may not run commands: start the workers with --allow-commands, or %s=all in their environment",
		e.Worker, e.Host, AllowEnv)
}

// Is reports whether target is ErrNotAllowed.
func (e *NotAllowedError) Is(target error) bool { return target == ErrNotAllowed }
