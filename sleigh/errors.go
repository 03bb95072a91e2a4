package sleigh

import (
	"errors"
	"fmt"
)

var (
	// ErrStopped says that the sleigh was stopped.
	ErrStopped = errors.New("sleigh: stopped")
	// ErrTaken says that there is a sleigh of that name with another master, or that its last master died just now.
	ErrTaken = errors.New("the name is taken")
)

// TaskError says that a function failed for one element.
type TaskError struct {
	Func    string `json:"func"`
	Index   int    `json:"index"`  // of the element; with EachWorker, the rank
	Worker  int    `json:"worker"` // rank; -1 if no worker had it
	Host    string `json:"host"`
	Attempt int    `json:"attempt"` // 1 the first time
	Message string `json:"message"`
	Stack   string `json:"stack,omitempty"` // of a panic
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
