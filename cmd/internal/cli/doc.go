// Package cli is what the commands nws and sleigh have in common: how they are set, what they print, and how they end.
//
// A program has one root command and calls Main. Its other commands run as a function that gets a Run: the settings, stdout and
// stderr, and the way to Redis.
//
//	root := &cobra.Command{Use: "nws", Short: "Workspaces from the shell"}
//	root.AddCommand(&cobra.Command{
//		Use:     "count WS",
//		Short:   "Count the variables of a workspace",
//		Example: "  nws count weather",
//		Args:    cli.Args,
//		RunE: cli.Do(func(ctx context.Context, r *cli.Run, args []string) error {
//			rdb, err := r.Connect(ctx)
//			if err != nil {
//				return err
//			}
//			defer rdb.Close()
//			…
//			return r.PrintJSON(count)
//		}),
//	})
//	os.Exit(cli.Main(root))
//
// # Settings
//
// The value of a flag is that of the command line, else of the environment, else of the config file. In the environment --redis
// is REDIS_URL, and any other flag NETSPACES_ and its name: --no-color is NETSPACES_NO_COLOR. In the config file each has its own
// name: no-color = true. That file is --config, else NETSPACES_CONFIG, else netspaces/config.toml or config.yaml in
// XDG_CONFIG_HOME (by default ~/.config). A flag of a command that has the name of one that all commands have takes its place,
// and is on the command line only: what is set for all commands is not meant for it.
//
// # Output
//
// Data go to stdout, all else to stderr. With --json, stdout has one JSON value a line. Only what is shown on a terminal is cut
// to its width, coloured or redrawn. Text that came with a password in it, as an address may, is printed without.
//
// # The end
//
// A command that returns nil ends with exit code 0, another one with that of its error (see Error and the codes). After an
// error, stderr has its text and below it what to do; the way in which a command is used is not repeated.
//
// SIGINT and SIGTERM end the context of the command, a second one the program (but see Run.Hurry). When the reader of
// stdout goes away, as head does, the context ends too, and the exit code is 141 as if SIGPIPE had ended the program: so do
// cat and its kin, and a script with "set -o pipefail" sees that not everything was read.
//
// A command that goes on then, since Redis does not answer, says so on stderr after some two seconds. What only reads (see
// Look) ends instead.
package cli
