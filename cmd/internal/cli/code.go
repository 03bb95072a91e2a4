package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// Exit codes.
const (
	CodeOK      = 0
	CodeError   = 1   // what has no code of its own
	CodeUsage   = 2   // the command line, a setting or an address is wrong
	CodeNothing = 3   // what was asked for is not there
	CodeNoRedis = 4   // no Redis answers, or it lets nobody in
	CodeFailed  = 5   // some tasks failed
	CodeTimeout = 124 // --timeout was over, as timeout(1) has it
	codePipe    = 141 // the reader of stdout is gone; 128 and the number of the signal, as with 130 and 143
)

// ErrNothing says that there is nothing to print. It ends a command with CodeNothing, and without a word.
var ErrNothing = errors.New("nothing there")

var (
	errTimeout = errors.New("the time is over")
	errPipe    = errors.New("the reader of stdout is gone")
)

// Error is an error with an exit code of its own, and with what to do about it.
type Error struct {
	Err    error
	Code   int    // 0 stands for that of Err
	Advice string // a line below the message; empty for that of Err
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives the error without code and advice.
func (e *Error) Unwrap() error { return e.Err }

// Usagef makes an error of a command line that is wrong. It ends a command with CodeUsage and says how to get help.
func Usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// signalError says that a signal has ended the command.
type signalError struct{ signal os.Signal }

func (e *signalError) Error() string { return e.signal.String() }

func (e *signalError) code() int {
	if number, ok := e.signal.(syscall.Signal); ok {
		return 128 + int(number)
	}
	return 128 + int(syscall.SIGINT) // os.Interrupt where signals have no numbers
}

// endedError is the error of a command whose context had ended.
type endedError struct {
	err, cause error
	after      time.Duration // --timeout
}

func (e *endedError) Error() string { return e.err.Error() }
func (e *endedError) Unwrap() error { return e.err }

// verdict is how a program ends: its exit code, and what it says about the reason.
type verdict struct {
	code    int
	message string // empty if there is nothing to say
	advice  string
}

// judge finds how a program ends that returned an error.
func judge(err error) verdict {
	if err == nil {
		return verdict{}
	}
	v := verdict{code: CodeError, message: err.Error()}
	for _, known := range []struct {
		err    error
		code   int
		advice string
	}{
		{redisx.ErrURL, CodeUsage, ""},
		{redisx.ErrNoServer, CodeNoRedis, ""},
		{redisx.ErrAuth, CodeNoRedis, ""},
		{redisx.ErrNoRedisServer, CodeNoRedis, ""},
		{workspace.ErrNoWorkspace, CodeNothing, "'nws ls' shows those that are there."},
		{workspace.ErrNoVar, CodeNothing, "'nws ls WS' shows those that are there."},
		{workspace.ErrVarDeleted, CodeNothing, ""},
		{workspace.ErrMode, CodeUsage, ""},
		{workspace.ErrName, CodeUsage, ""},
	} {
		if errors.Is(err, known.err) {
			v.code, v.advice = known.code, known.advice
			break
		}
	}
	if e, ok := errors.AsType[*Error](err); ok {
		if e.Code != 0 {
			v.code = e.Code
		}
		if e.Advice != "" {
			v.advice = e.Advice
		}
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		v.code = CodeUsage
	}
	if errors.Is(err, ErrNothing) {
		v = verdict{code: CodeNothing}
	}
	if ended, ok := errors.AsType[*endedError](err); ok {
		v = ended.judge(v)
	}
	if errors.Is(err, errPipe) {
		v = verdict{code: codePipe}
	}
	return v
}

// judge finds what is left of a verdict, now that the context had ended before the command did.
func (e *endedError) judge(v verdict) verdict {
	_, unknown := errors.AsType[*redisx.UnknownError](e.err) // worth a word, also after Ctrl-C
	ended := errors.Is(e.err, context.Canceled) || errors.Is(e.err, context.DeadlineExceeded) || errors.Is(e.err, e.cause)
	if !unknown && ended && v.code != CodeNoRedis {
		v.message, v.advice = "", ""
	}
	signalled, ok := errors.AsType[*signalError](e.cause)
	switch {
	case ok:
		v.code = signalled.code()
	case errors.Is(e.cause, errPipe):
		return verdict{code: codePipe}
	case errors.Is(e.cause, errTimeout) && v.code != CodeNoRedis: // that it never answered says more
		v.code = CodeTimeout
		if v.message == "" {
			v.message = fmt.Sprintf("gave up after %v (--timeout)", e.after)
		}
	}
	return v
}
