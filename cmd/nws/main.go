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
		Short: "Workspaces from the shell: variables in Redis that programs anywhere store, fetch and find",
		Example: `  export REDIS_URL=redis://localhost:6379
  nws store weather temperature 21.5   # adds a value
  nws find weather temperature         # reads one, and waits until there is one
  nws fetch weather temperature        # takes one away
  nws watch weather                    # shows what happens`,
		Long: `Exit codes: 0 done, 1 error, 2 wrong usage, 3 nothing there, 4 no Redis, 124 --timeout was over,
130 or 143 ended by a signal, 141 nobody reads the output any more.

Flags can also be set in the environment (REDIS_URL for --redis, NETSPACES_TIMEOUT for --timeout and so on)
and in ~/.config/netspaces/config.toml (redis = "…", timeout = "30s").`,
	}
	root.AddCommand(newLs(), newStore(), newFetch(), newFind(), newDeclare(), newRm(), newWatch(), newMktemp(), newDoctor(), newGc())
	return root
}
