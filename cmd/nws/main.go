// Command nws uses and shows workspaces from the shell. See docs/nws.md.
package main

import (
	"os"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/spf13/cobra"
)

func main() { os.Exit(cli.Main(newRoot())) }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "nws",
		Short: "Workspaces from the shell: named variables that live in Redis, which programs anywhere store, fetch and find",
	}
	root.AddCommand(newLs())
	return root
}
