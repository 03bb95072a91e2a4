package sleigh

import (
	"errors"
	"fmt"

	"github.com/netspaces/netspaces/workspace"
)

// Errors that a caller acts on. Those of jobs come with the name of the function.
var (
	// ErrStopped says that the sleigh was stopped.
	ErrStopped = errors.New("sleigh: stopped")
	// ErrOccupied says that the sleigh has a job already, where one of the two is exclusive.
	ErrOccupied = errors.New("sleigh: occupied by another job")
	// ErrGathered says that the results of a job were asked for twice.
	ErrGathered = errors.New("the results were gathered before")
	// ErrEnded says that a job was cancelled, by this program or another.
	ErrEnded = errors.New("the job was cancelled")
	// ErrNoJob says that the team has no job of that name.
	ErrNoJob = errors.New("no such job")
	// ErrFinished says that the job of that name has ended, and its results were used.
	ErrFinished = errors.New("the job has ended before")
	// ErrIncomplete says that not all elements of a job are there: its program ended before it had handed them out, or Redis
	// has lost some. Run that program again, with the same elements.
	ErrIncomplete = errors.New("elements of the job are missing")
	// ErrDetached says that the job was left to itself: see Job.Detach.
	ErrDetached = errors.New("the job was detached")
	// ErrVisitor says that a call is for masters of the sleigh, and this is a visitor: see Visit.
	ErrVisitor = errors.New("sleigh: a visitor begins no jobs")
	// ErrNoTeam says that there is no sleigh of that name. It is workspace.ErrNoWorkspace, too.
	ErrNoTeam error = noTeamError{}
	// ErrNoWorker says that the team has no worker of that rank.
	ErrNoWorker = errors.New("no such worker")
	// ErrTaken says that there is a sleigh of that name with another master, or that its last master died just now.
	ErrTaken = errors.New("the name is taken")
)

// noTeamError is ErrNoTeam.
type noTeamError struct{}

func (noTeamError) Error() string { return "no such team" }

// Is makes it workspace.ErrNoWorkspace, too.
func (noTeamError) Is(target error) bool { return target == workspace.ErrNoWorkspace }

// TaskError says that a function failed for one element.
type TaskError struct {
	Func    string `json:"func"`
	Index   int    `json:"index"`  // of the element; with EachWorker, the rank
	Worker  int    `json:"worker"` // rank; -1 if no worker had it
	Host    string `json:"host"`
	Attempt int    `json:"attempt"` // 1 the first time
	Message string `json:"message"`
	Stack   string `json:"stack,omitempty"` // of a panic

	// Deaths are those of the workers that died while they ran the element.
	Deaths []Death `json:"deaths,omitempty"`
}

// Death is what is known of a worker that died.
type Death struct {
	Worker int    `json:"worker"` // rank; -1 if it is not known
	Host   string `json:"host"`
	PID    int    `json:"pid,omitempty"`
	Cause  string `json:"cause,omitempty"`  // as its launcher saw it
	Stderr string `json:"stderr,omitempty"` // the last of it
}

func (e *TaskError) Error() string {
	if e.Worker < 0 {
		return fmt.Sprintf("%s failed for element %d: %s", e.Func, e.Index, e.Message)
	}
	return fmt.Sprintf("%s failed for element %d on worker %d (%s, attempt %d): %s",
		e.Func, e.Index, e.Worker, e.Host, e.Attempt, e.Message)
}

// TaskErrors are the failures of a job, in the order of the elements. errors.As finds the first one as a *TaskError.
type TaskErrors []*TaskError

func (e TaskErrors) Error() string {
	if len(e) == 1 {
		return e[0].Error()
	}
	return fmt.Sprintf("%d elements failed; the first: %v", len(e), e[0])
}

// Unwrap gives all of them.
func (e TaskErrors) Unwrap() []error {
	all := make([]error, len(e))
	for i, one := range e {
		all[i] = one
	}
	return all
}
