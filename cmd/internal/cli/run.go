package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

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
}

// Do makes what cobra runs of what a command does. The context of f ends with SIGINT, SIGTERM and --timeout, and when nobody
// reads stdout any more.
func Do(f func(ctx context.Context, r *Run, args []string) error) func(*cobra.Command, []string) error {
	return do(f, oneOff)
}

// Serve is Do for a service: its log says what happens, too, and is JSON where stderr is no terminal.
func Serve(f func(ctx context.Context, r *Run, args []string) error) func(*cobra.Command, []string) error {
	return do(f, service)
}

func do(f func(ctx context.Context, r *Run, args []string) error, of kind) func(*cobra.Command, []string) error {
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
		if err = f(ctx, r, args); err != nil && ctx.Err() != nil {
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
