package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/spf13/cobra"
)

// Run is one run of a command.
type Run struct {
	Command *cobra.Command
	JSON    bool // --json
	Quiet   bool // --quiet
	Verbose bool // --verbose

	Stdin  io.Reader
	Stdout *Screen
	Stderr *Screen
	// Log writes to stderr: all with --verbose, only errors with --quiet; by default warnings as lines for people, the same one
	// now and then, or what Serve says.
	Log *slog.Logger

	logging    logging
	settings   *settings
	interrupts *interrupts
	rdb        atomic.Pointer[redisx.Client] // nil before there is one
	mayLeave   atomic.Bool                   // see MayLeave
}

// Action is what a command does.
type Action = func(ctx context.Context, r *Run, args []string) error

// Do makes what cobra runs of what a command does. The context of f ends with SIGINT, SIGTERM and --timeout, and when nobody
// reads stdout any more.
func Do(f Action) func(*cobra.Command, []string) error { return run(f, oneOff) }

// Look is Do of what changes nothing: where Redis does not answer, it ends a second after the context all the same, and says
// nothing of what Redis may have done.
func Look(f Action) func(*cobra.Command, []string) error { return run(f, look) }

// Serve is Do for a service: its log says what happens, too, and is JSON where stderr is no terminal.
func Serve(f Action) func(*cobra.Command, []string) error { return run(f, service) }

func run(f Action, of kind) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		r, err := newRun(cmd, of)
		if err != nil {
			return err
		}
		for _, warning := range r.settings.warnings {
			r.Notef("%s", warning)
		}
		ctx, after := cmd.Context(), time.Duration(0)
		// A command that has its own --timeout means something else by it.
		if cmd.Flags().Lookup("timeout") == r.settings.flags.Lookup("timeout") && r.settings.timeout > 0 {
			var cancel context.CancelFunc
			after = r.settings.timeout
			ctx, cancel = context.WithTimeoutCause(ctx, after, errTimeout)
			defer cancel()
		}
		err = r.call(ctx, f, args, of == look)
		if unknown, ok := errors.AsType[*redisx.UnknownError](err); ok && of == look {
			err = unknown.Err
		}
		if err != nil && ctx.Err() != nil {
			return &endedError{err: err, cause: context.Cause(ctx), after: after}
		}
		return err
	}
}

func newRun(cmd *cobra.Command, of kind) (*Run, error) {
	p := programOf(cmd)
	s := p.settings
	if err := s.load(cmd); err != nil {
		return nil, err
	}
	color := !s.noColor && os.Getenv("NO_COLOR") == ""
	r := &Run{
		Command: cmd, JSON: s.json, Quiet: s.quiet, Verbose: s.verbose, Stdin: os.Stdin,
		Stdout:   newScreen(os.Stdout, color, func() { p.interrupts.cancel(errPipe) }),
		Stderr:   newScreen(os.Stderr, color, func() {}),
		settings: s, interrupts: p.interrupts,
	}
	r.logging = logging{program: cmd.Root().Name(), of: of, terminal: r.Stderr.Terminal, verbose: r.Verbose, quiet: r.Quiet}
	r.Log = r.logging.to(r.Stderr)
	whenReaderGoes(os.Stdout, r.Stdout.gone)
	return r, nil
}

// Hurry gives a context that ends at the second SIGINT or SIGTERM. Without a call of it, that one ends the program at once; with
// it, the third one does.
func (r *Run) Hurry() context.Context {
	r.interrupts.hurried.Store(true)
	return r.interrupts.hurry
}

// Notef writes a line to stderr, unless --quiet is given.
func (r *Run) Notef(format string, args ...any) {
	if !r.Quiet {
		fmt.Fprintf(r.Stderr, "%s: %s\n", r.Command.Root().Name(), redact(fmt.Sprintf(format, args...)))
	}
}

// PrintJSON prints each value to stdout as a line of JSON.
func (r *Run) PrintJSON(values ...any) error {
	var text bytes.Buffer
	lines := json.NewEncoder(&text)
	lines.SetEscapeHTML(false)
	for _, value := range values {
		if err := lines.Encode(value); err != nil {
			return err
		}
	}
	_, err := text.WriteTo(r.Stdout)
	return err
}
