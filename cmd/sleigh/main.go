// Command sleigh gives shell commands to a team of workers, and looks into what teams do. See docs/sleigh.md.
package main

import (
	"os"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/spf13/cobra"
)

func main() {
	workIfLaunched()
	os.Exit(cli.Main(newRoot()))
}

// workIfLaunched never returns in a worker process. NETSPACES_TEAM, which makes a worker of any other program, is here the
// default of --team only: 'sleigh worker' is what works.
func workIfLaunched() {
	const worker, team = "NETSPACES_WORKER", "NETSPACES_TEAM"
	if name, set := os.LookupEnv(team); set && os.Getenv(worker) == "" {
		_ = os.Unsetenv(team)
		defer os.Setenv(team, name)
	}
	sleigh.Main()
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "sleigh",
		Short: "A team of workers for any command, on one machine or many, with nothing between them but a Redis",
		Example: `  sleigh demo
  sleigh each --local 4 -- gzip -9 {} ::: *.log
  sleigh worker --team farm --allow-commands
  sleigh each --team farm --tag -- dig +short {} < names.txt
  sleigh status farm --watch`,
		Long: `Exit codes: 0 done, 1 error, 2 wrong usage, 3 no such team, job or worker, 4 no Redis, 5 some items failed,
124 --timeout was over, 130 or 143 ended by a signal, 141 nobody reads the output any more.

Flags can also be set in the environment (REDIS_URL for --redis, NETSPACES_TEAM for --team and so on)
and in ~/.config/netspaces/config.toml (redis = "…", team = "farm").`,
	}
	for _, command := range []func() *cobra.Command{
		newDemo, newEach, newWorker, newStatus, newJobs, newLogs, newExplain, newAttach, newRetry, newCancel, newDrain, newStop,
	} {
		root.AddCommand(command())
	}
	return root
}
