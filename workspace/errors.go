package workspace

import "errors"

// Errors that a caller acts on. The methods that return them wrap them with the names of workspace and variable.
var (
	// ErrNoWorkspace says that the workspace is missing, or was deleted after it was opened.
	ErrNoWorkspace = errors.New("workspace: no such workspace")
	// ErrVarDeleted says that the variable was deleted while the caller waited for it.
	ErrVarDeleted = errors.New("workspace: variable deleted")
	// ErrNoVar says that there is no such variable.
	ErrNoVar = errors.New("workspace: no such variable")
	// ErrDeclared says that the variable has been declared with another mode.
	ErrDeclared = errors.New("workspace: declared with another mode")
	// ErrMode says that a mode is none of fifo, lifo, multi, single.
	ErrMode = errors.New("workspace: no such mode")
	// ErrName says that a name is not allowed for a workspace.
	ErrName = errors.New("workspace: bad workspace name")
	// ErrValue says that a value does not convert to or from JSON, or is larger than MaxValue.
	ErrValue = errors.New("workspace: bad value")
	// ErrClaimLost says that a claim was settled by somebody else, or has gone to somebody else after its lease.
	ErrClaimLost = errors.New("workspace: claim lost")
	// ErrBuried says that somebody has declared this handle dead by EndClaims, so that it can claim and wait no more.
	ErrBuried = errors.New("workspace: declared dead")
	// ErrVersion says that a workspace was made by programs that keep it in another way than this one.
	ErrVersion = errors.New("workspace: made by another version")
	// ErrIterate says that the values of a variable have no order to iterate in: its mode is lifo or multi.
	ErrIterate = errors.New("workspace: cannot be iterated")
	// ErrDamaged says that something in Redis, where the package keeps its data, is not what it must be: somebody wrote it
	// by hand, or another program did.
	ErrDamaged = errors.New("workspace: damaged data in Redis")
	// ErrExists says that a workspace that must be new is there already.
	ErrExists = errors.New("workspace: name taken")
	// ErrClosed says that this handle was closed.
	ErrClosed = errors.New("workspace: closed")
)
