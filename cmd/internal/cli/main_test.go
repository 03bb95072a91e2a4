package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/netspaces/netspaces/cmd/internal/clitest"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

func TestMain(m *testing.M) {
	_ = os.Setenv("GORACE", "atexit_sleep_ms=10")
	testscript.Main(m, map[string]func(){"prog": func() { os.Exit(Main(prog())) }})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:  "testdata",
		Cmds: clitest.Commands(),
		Setup: func(env *testscript.Env) error {
			clitest.Prepare(env)
			env.Setenv("XDG_CONFIG_HOME", env.WorkDir+"/config")
			return nil
		},
		Deadline:            time.Now().Add(3 * clitest.Patience), // what hangs fails, and not what a busy machine delays
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// prog is a program that does what commands do, and nothing else.
func prog() *cobra.Command {
	root := &cobra.Command{Use: "prog", Short: "A program for tests"}
	add := func(use string, f func(ctx context.Context, r *Run, args []string) error) *cobra.Command {
		cmd := &cobra.Command{Use: use, Short: "A command", Args: Args, RunE: Do(f)}
		root.AddCommand(cmd)
		return cmd
	}
	add("fail KIND", fail)
	add("wait", func(ctx context.Context, r *Run, _ []string) error {
		fmt.Fprintln(r.Stdout, "waiting")
		<-ctx.Done()
		return ctx.Err()
	})
	add("stubborn", func(ctx context.Context, r *Run, _ []string) error {
		fmt.Fprintln(r.Stdout, "waiting")
		<-ctx.Done()
		fmt.Fprintln(r.Stdout, "once")
		select {}
	})
	add("polite", func(ctx context.Context, r *Run, _ []string) error {
		hurry := r.Hurry()
		fmt.Fprintln(r.Stdout, "waiting")
		<-ctx.Done()
		fmt.Fprintln(r.Stdout, "once")
		<-hurry.Done()
		fmt.Fprintln(r.Stdout, "twice")
		return nil // it has ended as it was told to
	})
	faraway := func(ctx context.Context, r *Run, _ []string) error {
		if _, err := r.Connect(ctx); err != nil {
			return err
		}
		fmt.Fprintln(r.Stdout, "waiting")
		select {} // as for a Redis that does not answer
	}
	add("faraway", faraway)
	add("leased", func(ctx context.Context, r *Run, args []string) error {
		r.MayLeave()
		return faraway(ctx, r, args)
	})
	add("gaze", nil).RunE = Look(faraway)
	add("unknown", nil).RunE = Look(func(context.Context, *Run, []string) error {
		return &redisx.UnknownError{Script: "look", Err: errors.New("no success")}
	})
	var list []string
	var own, programs string
	show := func(_ context.Context, r *Run, _ []string) error {
		fmt.Fprintf(r.Stdout, "%q %q %q\n", list, programs, own)
		r.Log.Warn("a warning", "of", "prog")
		r.Log.Info("what happens")
		r.Log.Debug("a detail")
		fmt.Fprint(r.LogLines("elsewhere"), "a line\n")
		return nil
	}
	add("serve", nil).RunE = Serve(show)
	flags := add("show", show).Flags()
	flags.StringSliceVar(&list, "host-list", nil, "hosts")
	flags.StringVar(&programs, "programs", "all", "a list that is a text")
	flags.StringVar(&own, "timeout", "none", "a timeout of another kind")
	add("live", func(ctx context.Context, r *Run, _ []string) error {
		live := r.Live(ctx)
		defer live.Close()
		for _, frame := range []string{"one\n", "one\n", "two\nlines\n", "one\n"} {
			if err := live.Show(func(int) string { return frame }); err != nil {
				return err
			}
		}
		live.Close()
		return nil
	})
	add("embedded", func(ctx context.Context, r *Run, _ []string) error {
		rdb, err := r.ConnectOrEmbed(ctx)
		if err != nil {
			return err
		}
		defer rdb.Close()
		_, err = fmt.Fprintln(r.Stdout, rdb)
		return err
	})
	return root
}

func fail(_ context.Context, _ *Run, args []string) error {
	errs := map[string]error{
		"plain":     errors.New("it went wrong"),
		"usage":     Usagef("not %q", "so"),
		"nothing":   fmt.Errorf("deep down: %w", ErrNothing),
		"code":      &Error{Err: errors.New("some failed"), Code: CodeFailed, Advice: "Try again."},
		"advice":    &Error{Err: fmt.Errorf("redis: %w", redisx.ErrNoServer), Advice: "Start it."},
		"redis":     redisx.ErrNoServer,
		"auth":      redisx.ErrAuth,
		"no-server": redisx.ErrNoRedisServer,
		"url":       redisx.ErrURL,
		"workspace": fmt.Errorf("workspace %q: %w", "ws", workspace.ErrNoWorkspace),
		"variable":  workspace.ErrNoVar,
		"deleted":   workspace.ErrVarDeleted,
		"mode":      workspace.ErrMode,
		"name":      workspace.ErrName,
		"password":  errors.New("no way to redis://ada:pass/w@rd@host/0?sentinel_password=pass%20w&x=1"),
	}
	if strings.HasPrefix(args[0], "panic") {
		panic("as told")
	}
	return errs[args[0]]
}
