package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/workspace"
	"github.com/spf13/cobra"
)

func newLs() *cobra.Command {
	return &cobra.Command{
		Use:        "ls [WS]",
		SuggestFor: []string{"list", "show"},
		Short:      "List the workspaces, or the variables of one",
		Example: `  nws ls
  nws ls weather
  nws ls --json | jq -r 'select(.variables > 0) | .name'`,
		Long: `A workspace that is not persistent goes away with its owner. Values are those that a fetch could take,
claimed ones are being worked on; fetchers and finders are calls that wait.`,
		Args:              cli.Args,
		ValidArgsFunction: completeWorkspace(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cli.Look(listWorkspaces)(cmd, args)
			}
			return lookInto(nil, listVariables)(cmd, args)
		},
	}
}

func listWorkspaces(ctx context.Context, r *cli.Run, _ []string) error {
	rdb, err := r.Connect(ctx)
	if err != nil {
		return err
	}
	defer rdb.Close()
	infos, err := workspace.List(ctx, rdb) // some may be there with an error that names the others
	if err == nil && len(infos) == 0 {
		r.Notef("there are no workspaces")
	}
	var rows []space
	for _, info := range infos {
		rows = append(rows, spaceOf(info))
	}
	return errors.Join(cli.PrintTable(r, rows, spaceColumns), err)
}

func listVariables(ctx context.Context, r *cli.Run, ws *workspace.Workspace, _ []string) error {
	infos, err := ws.ListVars(ctx)
	if err != nil {
		return err
	}
	if len(infos) == 0 {
		r.Notef("workspace %q has no variables", ws.Name())
	}
	return cli.PrintTable(r, variablesOf(infos), variableColumns)
}

// space is a workspace as it is shown.
type space struct {
	Name       string `json:"name"`
	Variables  int    `json:"variables"`
	Persistent bool   `json:"persistent"`
	Owner      *owner `json:"owner,omitempty"`
}

type owner struct {
	Host    string `json:"host"`
	PID     int    `json:"pid"`
	Program string `json:"program"`
}

func (o *owner) String() string {
	if o == nil {
		return "-"
	}
	return fmt.Sprintf("%s@%s:%d", o.Program, o.Host, o.PID)
}

func spaceOf(info workspace.Info) space {
	s := space{Name: info.Name, Variables: info.Variables, Persistent: info.Persistent}
	if info.Owner != (workspace.Owner{}) {
		o := owner(info.Owner)
		s.Owner = &o
	}
	return s
}

var spaceColumns = []cli.Column[space]{
	{Title: "NAME", Cell: func(s space) any { return s.Name }},
	{Title: "VARIABLES", Cell: func(s space) any { return s.Variables }},
	{Title: "PERSISTENT", Cell: func(s space) any { return map[bool]string{true: "yes", false: "no"}[s.Persistent] }},
	{Title: "OWNER", Cell: func(s space) any { return s.Owner }},
}

// variable is a variable as it is shown.
type variable struct {
	Name     string         `json:"name"`
	Mode     workspace.Mode `json:"mode"`
	Values   int            `json:"values"`
	Claimed  int            `json:"claimed"`
	Fetchers int            `json:"fetchers"`
	Finders  int            `json:"finders"`
}

func variablesOf(infos []workspace.VarInfo) []variable {
	variables := []variable{} // an empty list in JSON, too
	for _, info := range infos {
		variables = append(variables, variable(info))
	}
	return variables
}

var variableColumns = []cli.Column[variable]{
	{Title: "NAME", Cell: func(v variable) any { return v.Name }},
	{Title: "MODE", Cell: func(v variable) any { return v.Mode }},
	{Title: "VALUES", Cell: func(v variable) any { return v.Values }},
	{Title: "CLAIMED", Cell: func(v variable) any { return v.Claimed }},
	{Title: "FETCHERS", Cell: func(v variable) any { return v.Fetchers }},
	{Title: "FINDERS", Cell: func(v variable) any { return v.Finders }},
}
