package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
	"github.com/spf13/cobra"
)

// inWorkspace makes a command of what is done in the workspace that is its first argument. f gets the others, and so does check
// before, which may be nil, to find what is wrong in the command line. Where the workspace is missing, it is made if create is
// true, and stays until somebody deletes it.
func inWorkspace(create bool, check checking, f working) func(*cobra.Command, []string) error {
	return cli.Do(within(create, check, f))
}

// lookInto is inWorkspace of what changes nothing there.
func lookInto(check checking, f working) func(*cobra.Command, []string) error {
	return cli.Look(within(false, check, f))
}

type (
	checking = func(r *cli.Run, args []string) error
	working  = func(ctx context.Context, r *cli.Run, ws *workspace.Workspace, args []string) error
)

func within(create bool, check checking, f working) cli.Action {
	return func(ctx context.Context, r *cli.Run, args []string) error {
		if check != nil {
			if err := check(r, args[1:]); err != nil {
				return err
			}
		}
		rdb, err := r.Connect(ctx)
		if err != nil {
			return err
		}
		defer rdb.Close()
		ws, err := use(ctx, rdb, args[0])
		if create && errors.Is(err, workspace.ErrNoWorkspace) {
			// Made with an owner, since only that one says that it is persistent. Close ends the ownership.
			ws, err = workspace.Open(ctx, rdb, args[0], &workspace.Options{Persistent: true})
		}
		if err != nil {
			return err
		}
		return errors.Join(f(ctx, r, ws, args[1:]), ws.Close())
	}
}

// use is workspace.Use of a workspace that must be there. Its error names it.
func use(ctx context.Context, rdb *redisx.Client, name string) (*workspace.Workspace, error) {
	ws, err := workspace.Use(ctx, rdb, name, false)
	if errors.Is(err, workspace.ErrNoWorkspace) {
		err = fmt.Errorf("%w: %q", workspace.ErrNoWorkspace, name)
	}
	return ws, err
}

// completeNames offers workspaces for the first argument, variables for the second, and words for the third.
func completeNames(words ...string) cobra.CompletionFunc {
	return cli.Complete(func(ctx context.Context, rdb *redisx.Client, args []string) ([]string, error) {
		switch len(args) {
		case 0:
			return workspaceNames(ctx, rdb)
		case 1:
			return variableNames(ctx, rdb, args[0])
		case 2:
			return words, nil
		}
		return nil, nil
	})
}

// completeWorkspace offers workspaces for the first argument.
func completeWorkspace() cobra.CompletionFunc {
	return cli.Complete(func(ctx context.Context, rdb *redisx.Client, args []string) ([]string, error) {
		if len(args) > 0 {
			return nil, nil
		}
		return workspaceNames(ctx, rdb)
	})
}

func workspaceNames(ctx context.Context, rdb *redisx.Client) ([]string, error) {
	infos, err := workspace.List(ctx, rdb)
	var names []string
	for _, info := range infos {
		names = append(names, info.Name)
	}
	return names, err
}

func variableNames(ctx context.Context, rdb *redisx.Client, name string) ([]string, error) {
	ws, err := use(ctx, rdb, name)
	if err != nil {
		return nil, err
	}
	infos, err := ws.ListVars(ctx)
	var names []string
	for _, info := range infos {
		names = append(names, info.Name)
	}
	return names, errors.Join(err, ws.Close())
}
