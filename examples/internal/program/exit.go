package program

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// The exit codes; after a signal it is 128 and the signal's number, as in a shell.
const (
	ExitError   = 1
	ExitUsage   = 2
	ExitNoRedis = 4
	ExitSignal  = 128
)

// SignalError is why a context ended.
type SignalError struct{ syscall.Signal }

func (s SignalError) Error() string { return "stopped by signal: " + s.String() }

// UntilSignal returns a context that ends with Ctrl-C or when the program is asked to terminate.
func UntilSignal() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		s := <-signals
		signal.Reset(syscall.SIGINT, syscall.SIGTERM) // A second Ctrl-C ends the program at once.
		cancel(SignalError{s.(syscall.Signal)})
	}()
	return ctx
}

// ExitCode is that of a program which ended with an error, or nil, while ctx was as it is.
func ExitCode(ctx context.Context, err error) int {
	s, stopped := errors.AsType[SignalError](context.Cause(ctx))
	switch {
	case err == nil:
		return 0
	case stopped:
		return ExitSignal + int(s.Signal)
	case errors.Is(err, redisx.ErrURL), errors.Is(err, workspace.ErrName):
		return ExitUsage
	case errors.Is(err, redisx.ErrNoServer), errors.Is(err, redisx.ErrAuth), errors.Is(err, redisx.ErrNoRedisServer):
		return ExitNoRedis
	}
	return ExitError
}
