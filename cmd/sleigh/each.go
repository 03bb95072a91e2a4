package main

import (
	"context"
	"errors"
	"iter"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/each"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// eachFlags are those of 'sleigh each'.
type eachFlags struct {
	results resultFlags
	options each.Options // those that are flags as they are
	team    string
	local   int
	file    string
	null    bool
	pipe    bool
	halt    string
}

func newEach() *cobra.Command {
	f := &eachFlags{}
	cmd := &cobra.Command{
		Use:   "each [flags] [--] COMMAND [ARG...] [::: ITEM...]",
		Short: "Run a command once for each item, on a team of workers or on this machine",
		Example: `  sleigh each --local 4 -- gzip -9 {} ::: *.log
  seq 1000 | sleigh each --keep-order -- expr {} + 1
  find . -name '*.wav' -print0 | sleigh each --local 4 -0 --bar -- flac {} -o {.}.flac
  sleigh each --team farm --joblog log --resume -a hosts.txt -- ping -c1 {}
  sleigh each --team farm --name nightly --detach -a jobs.txt -- ./simulate --case {}`,
		Long: `In the command and its arguments, {} stands for the item, {.} for it without
its extension, {/} for its base name, {//} for its directory, {/.} for its
base name without its extension, and {#} for its number, from 1. If none of
them is there, the item comes last. No shell is in between: for pipes and the
like, run one, as in sh -c '…' sh {}.

Items come after :::, from a file, or as lines from stdin. Workers run
commands if they were started with --allow-commands; those of --local may.
What fails is counted, and makes the exit code 5.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			// Where one of them is on the command line, the other one may be in the environment all the same.
			team, local := cmd.Flags().Changed("team"), cmd.Flags().Changed("local")
			return cli.Do(func(ctx context.Context, r *cli.Run, args []string) error {
				switch {
				case local && !team:
					f.team = ""
				case team && !local:
					f.local = 0
				}
				return f.run(ctx, r, args)
			})(cmd, args)
		},
	}
	flags := cmd.Flags()
	flags.SetInterspersed(false) // what comes after the command belongs to it
	flags.SortFlags = false
	teamFlag(cmd, &f.team, "`name` of the team that runs it; one that is missing is made, and stays")
	flags.IntVarP(&f.local, "local", "j", 0, "start this `number` of workers here (default: one for each core)")
	flags.StringVarP(&f.file, "arg-file", "a", "", "read the items from this `file`")
	flags.BoolVarP(&f.null, "null", "0", false, "items end with NUL, and not with a newline")
	flags.BoolVar(&f.pipe, "pipe", false, "give the item to the command on its stdin")
	f.results.define(cmd)
	flags.BoolVar(&f.options.ResumeFailed, "resume-failed", false, "as --resume, but run those again that failed")
	flags.IntVar(&f.options.Retries, "retries", 0, "run what fails up to this `number` of times")
	cli.DurationVar(flags, &f.options.Timeout, "timeout", 0, "end a command after this time, such as 90s or 5 (seconds)")
	flags.StringVar(&f.halt, "halt", "", "`when` to stop before all is done: now,fail=1 or soon,fail=10% or soon,success=1")
	flags.BoolVar(&f.options.DryRun, "dry-run", false, "print the commands, and run none")
	flags.StringVar(&f.options.Name, "name", "", "`name` of the job, which then outlives this program")
	flags.BoolVar(&f.options.Detach, "detach", false, "leave the job to the team, and collect it later with 'sleigh attach'")
	flags.IntVar(&f.options.Priority, "priority", 0, "`share` of the team that the job gets beside others")
	flags.IntVar(&f.options.Chunk, "chunk", 0, "hand out this `number` of items together (default: what takes 50 ms)")
	return cmd
}

func (f *eachFlags) run(ctx context.Context, r *cli.Run, args []string) error {
	command, rest, listed := args, []string(nil), false
	if i := slices.Index(args, ":::"); i >= 0 {
		command, rest, listed = args[:i], args[i+1:], true
	}
	if err := f.check(command, rest, listed); err != nil {
		return err
	}
	r.MayLeave()
	var err error
	if f.options.Halt, err = each.ParseHalt(f.halt); f.halt != "" && err != nil {
		return cli.Usagef("--halt: %w", err)
	}
	items, total, closeItems, err := f.items(rest, listed)
	if err != nil {
		return err
	}
	defer closeItems()
	c := &collector{r: r, flags: &f.results, options: f.options, job: f.options.Name}
	run := func(s *sleigh.Sleigh) error {
		return c.collect(ctx, s, total, func(opts *each.Options) (each.Summary, error) {
			return each.Run(ctx, s, items, each.Command{Args: command, Pipe: f.pipe}, opts)
		})
	}
	switch {
	case f.options.DryRun:
		return run(nil)
	case f.team != "":
		return joining(ctx, r, f.team, true, c.line, run)
	}
	return f.here(ctx, r, c, run)
}

// check says what is wrong with the command line.
func (f *eachFlags) check(command, items []string, listed bool) error {
	switch {
	case len(command) == 0:
		return cli.Usagef("the command is missing")
	case slices.Contains(items, ":::") || slices.Contains(command, "::::") || slices.Contains(items, "::::"):
		return cli.Usagef("there is one list of items, after one :::; for those of a file there is --arg-file")
	case listed && f.file != "":
		return cli.Usagef("items come after ::: or from --arg-file, and not from both")
	case !listed && f.file == "" && term.IsTerminal(int(os.Stdin.Fd())):
		return cli.Usagef("there are no items: give them after :::, by --arg-file or on stdin")
	case f.local < 0:
		return cli.Usagef("--local %d: it must be at least 1", f.local)
	case f.local > 0 && f.team != "":
		return cli.Usagef("a command runs by --team or by --local, and not by both")
	case f.options.Detach && (f.options.Name == "" || f.team == ""):
		return cli.Usagef("--detach needs --team and --name: by these, 'sleigh attach' finds the job")
	case f.options.Name != "" && f.team == "":
		return cli.Usagef("--name needs --team: jobs outlive this program in a team only")
	case (f.results.resume || f.options.ResumeFailed) && f.results.joblog == "":
		return cli.Usagef("--resume needs --joblog, which says what is done")
	case f.options.Retries < 0 || f.options.Priority < 0 || f.options.Chunk < 0:
		return cli.Usagef("--retries, --priority and --chunk must not be negative")
	}
	return nil
}

// items gives the items, and how many they are, or -1.
func (f *eachFlags) items(listed []string, given bool) (items iter.Seq2[string, error], total int, done func(), err error) {
	if given {
		return each.Items(listed...), len(listed), func() {}, nil
	}
	in := os.Stdin
	if f.file != "" && f.file != "-" {
		if in, err = os.Open(f.file); err != nil {
			return nil, 0, nil, err
		}
	}
	done = func() { _ = in.Close() }
	if f.null {
		return each.Records(in), -1, done, nil
	}
	return each.Lines(in), -1, done, nil
}

// here runs it by workers of its own, on this machine.
func (f *eachFlags) here(ctx context.Context, r *cli.Run, c *collector, run func(*sleigh.Sleigh) error) error {
	each.AllowCommands() // for the workers, which inherit it
	rdb, err := r.ConnectOrEmbed(ctx)
	if err != nil {
		return err
	}
	defer rdb.Close()
	n := f.local
	if n == 0 {
		n = runtime.GOMAXPROCS(0)
	}
	s, err := sleigh.Start(ctx, rdb, &sleigh.Options{Launch: sleigh.Local(n), Logger: r.Log, Output: c.line})
	if err != nil {
		return err
	}
	err = run(s)
	return errors.Join(err, s.Stop(context.WithoutCancel(ctx))) // the workers have to end, and the keys to go
}

// joining joins a team that lasts for as long as use runs. A missing one is made if create is true.
func joining(
	ctx context.Context, r *cli.Run, name string, create bool, output func(sleigh.Line), use func(*sleigh.Sleigh) error,
) error {
	rdb, err := r.Connect(ctx)
	if err != nil {
		return err
	}
	defer rdb.Close()
	if name, err = chooseTeam(ctx, rdb, name); err != nil {
		return err
	}
	if err := lookUp(ctx, rdb, name); err != nil {
		if !create || !errors.Is(err, sleigh.ErrNoTeam) {
			return explainTeam(ctx, rdb, err)
		}
		r.Notef("team %s is new", name)
	}
	s, err := sleigh.Join(ctx, rdb, name, &sleigh.Options{Logger: r.Log, Output: output})
	if err != nil {
		return err
	}
	hinting, stop := context.WithCancel(ctx)
	hinted := make(chan struct{})
	go func() {
		defer close(hinted)
		hint(hinting, r, s)
	}()
	err = use(s)
	stop()
	<-hinted
	return errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
}

// lookUp returns an error if there is no such team.
func lookUp(ctx context.Context, rdb *redisx.Client, name string) error {
	s, err := sleigh.Visit(ctx, rdb, name)
	if err != nil {
		return err
	}
	return s.Stop(ctx)
}

const hintEvery = 3 * time.Second

// hint says on stderr why nothing moves, each reason once.
func hint(ctx context.Context, r *cli.Run, s *sleigh.Sleigh) {
	told := map[sleigh.Cause]bool{}
	for tick := time.NewTicker(hintEvery); ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			tick.Stop()
			return
		}
		reasons, err := s.Explain(ctx)
		if err != nil {
			continue // the run itself says it, if that lasts
		}
		for _, reason := range reasons {
			if !told[reason.Cause] {
				r.Notef("%s", inWords(s.Name(), reason))
				told[reason.Cause] = true
			}
		}
	}
}
