package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/each"
	"github.com/spf13/cobra"
)

func newWorker() *cobra.Command {
	var team, listen, allow string
	var slots int
	var stay time.Duration
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Be a worker of a team, until the team ends or the worker is told to leave",
		Example: `  sleigh worker --team farm --allow-commands
  sleigh worker --team farm --slots 8 --allow-commands=gzip,/usr/bin/flac
  sleigh worker --team farm --listen 127.0.0.1:9090`,
		Long: `It may be there before the team is, and waits for it. At the first Ctrl-C or
SIGTERM it takes nothing more, and leaves when what it runs has ended, or
after 25 s; at the second one it leaves at once. What it has not done goes to
others. The exit code is 0 then, as at the end of the team.`,
		Args: cli.Args,
		RunE: cli.Serve(func(ctx context.Context, r *cli.Run, _ []string) error {
			if team == "" {
				return cli.Usagef("--team is missing")
			}
			if slots < 1 {
				return cli.Usagef("--slots %d: it must be at least 1", slots)
			}
			if listen != "" {
				if err := checkAddress(ctx, listen); err != nil {
					return cli.Usagef("--listen %q: it must be like 127.0.0.1:9090: %w", listen, err)
				}
			}
			_ = os.Setenv(each.AllowEnv, allow) // the worker process inherits it
			if stay > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, stay)
				defer cancel()
			}
			return work(ctx, r, team, listen, slots)
		}),
	}
	teamFlag(cmd, &team, "`name` of the team")
	cmd.Flags().IntVar(&slots, "slots", 1, "`number` of tasks that it runs at a time")
	cmd.Flags().StringVar(&allow, "allow-commands", "",
		"run commands for 'sleigh each': all, or those of a `list` of programs such as gzip,/usr/bin/flac")
	cmd.Flags().Lookup("allow-commands").NoOptDefVal = "all"
	cmd.Flags().StringVar(&listen, "listen", "",
		"serve /healthz, /readyz and /metrics over HTTP at this `address`, such as 127.0.0.1:9090")
	// A flag of its own: the time after which all other commands give up is not meant for a service.
	cli.DurationVar(cmd.Flags(), &stay, "timeout", 0, "leave after this time, as at a SIGTERM (default: never)")
	return cmd
}

// checkAddress says what is wrong with the text of an address. Whether it is one of this machine is not looked at.
func checkAddress(ctx context.Context, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	_, err = net.DefaultResolver.LookupPort(ctx, "tcp", port)
	return err
}

func work(ctx context.Context, r *cli.Run, team, listen string, slots int) error {
	h := newHealth(team)
	if listen != "" {
		at, stop, err := h.listen(listen)
		if err != nil {
			return err
		}
		defer stop()
		r.Log.Info("listening", "address", at.String())
	}
	system := newSystemd(r.Log)
	rdb, err := r.Connect(ctx)
	switch {
	case err != nil && ctx.Err() != nil: // it was told to leave
		return nil
	case err != nil:
		return err
	}
	defer rdb.Close()
	h.reach(rdb)
	system.tell("READY=1\nSTATUS=waiting for team " + team)
	defer system.watchdog()()
	defer context.AfterFunc(ctx, func() { system.tell("STOPPING=1\nSTATUS=leaving team " + team) })()
	err = sleigh.Serve(ctx, rdb, team, &sleigh.ServeOptions{
		Slots: slots, Now: r.Hurry(), Logger: r.Log, Stderr: r.LogLines("the worker's stderr"),
		OnState: func(s sleigh.Serving) {
			h.state.Store(&s)
			if s.Joined && ctx.Err() == nil {
				system.tell(fmt.Sprintf("STATUS=worker %d of team %s: %d done, %d failed, %d running",
					s.Rank, team, s.Done, s.Failed, s.Running))
			}
		},
	})
	if err == nil {
		r.Log.Info("left", "team", team)
	}
	return err
}
