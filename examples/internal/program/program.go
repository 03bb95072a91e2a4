// Package program is what the examples have in common, and is beside their point: the flags that say which team on which
// Redis, a line of progress, signals and exit codes.
package program

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// An Example is a program that has a team do something.
type Example struct {
	About string // the first lines of the help
	// Check says what is wrong with the command line, beside what pflag sees.
	Check func() error
	// Run does it. The team and the Redis end after it, also after Ctrl-C, which ends ctx.
	Run func(ctx context.Context, s *sleigh.Sleigh) error
}

// Main runs the example and ends the program.
func (e *Example) Main() {
	ctx := UntilSignal()
	err := e.run(ctx)
	Status("")
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name(), err)
	}
	os.Exit(ExitCode(ctx, err))
}

func name() string { return filepath.Base(os.Args[0]) }

func (e *Example) run(ctx context.Context) error {
	workers := pflag.Int("workers", runtime.GOMAXPROCS(0), "start this `number` of worker processes")
	team := pflag.String("team", "", "start none, but wait for that number of workers which are started elsewhere, with\n"+
		"REDIS_URL and NETSPACES_TEAM set to this `name`")
	hosts := pflag.StringSlice("hosts", nil, "start none here, but one by ssh on each of these `hosts`, such as a,b,b; the program\n"+
		"is sent there")
	url := pflag.String("redis", "", "`URL` of the Redis: redis://, rediss://, unix://, local:// or mem://;\n"+
		"by default $REDIS_URL, or where that is not set mem://, an embedded one;\n"+
		"one with a password belongs into $REDIS_URL, since others see the command line")
	pflag.CommandLine.Init(name(), pflag.ContinueOnError)
	pflag.CommandLine.SortFlags = false
	pflag.Usage = func() {}
	err := pflag.CommandLine.Parse(os.Args[1:])
	if errors.Is(err, pflag.ErrHelp) {
		_, err = fmt.Printf("%s\n\n%s", e.About, pflag.CommandLine.FlagUsages())
		return err
	}
	if err == nil && *workers < 1 {
		err = fmt.Errorf("--workers %d: it must be at least 1", *workers)
	}
	if err = cmp.Or(err, e.Check()); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\nTry '%s --help'.\n", name(), err, name())
		os.Exit(ExitUsage)
	}
	launch := sleigh.Local(*workers)
	switch {
	case len(*hosts) > 0:
		launch = sleigh.SSH(*hosts, nil)
	case *team != "":
		launch = sleigh.Manual(*workers)
	}
	return e.with(ctx, cmp.Or(*url, os.Getenv("REDIS_URL")), &sleigh.Options{Name: *team, Launch: launch})
}

func (e *Example) with(ctx context.Context, url string, opts *sleigh.Options) (err error) {
	rdb, err := redisx.Open(ctx, url, nil)
	if err != nil {
		return cmp.Or(context.Cause(ctx), err)
	}
	defer func() { err = errors.Join(err, rdb.Close()) }()
	s, err := sleigh.Start(ctx, rdb, opts)
	if err != nil {
		return cmp.Or(context.Cause(ctx), err)
	}
	defer func() { err = errors.Join(err, s.Stop(context.WithoutCancel(ctx))) }() // The workers have to end, and the keys to go.
	if err := e.Run(ctx, s); err != nil {
		return cmp.Or(context.Cause(ctx), err)
	}
	return nil
}

// Status shows a line on stderr until the next one takes its place, if that is a terminal.
func Status(format string, args ...any) {
	if term.IsTerminal(int(os.Stderr.Fd())) {
		fmt.Fprintf(os.Stderr, "\r\x1b[2K"+format+"\r", args...)
	}
}
