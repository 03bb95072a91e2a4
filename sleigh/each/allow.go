package each

import (
	"errors"
	"fmt"
)

// AllowEnv is the variable of a worker's environment that lets it run commands: "all" or "1" for any, or a list of programs,
// with commas between them, as AllowCommands takes it.
const AllowEnv = "NETSPACES_ALLOW_COMMANDS"

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
