// Package each has a team of workers run a command once for each item: GNU parallel without a shared filesystem.
//
// A Command is a program and its arguments, in which {} stands for an item. Items are byte strings, such as the lines of a
// file. Run hands them to the workers of a sleigh.Sleigh and writes what the commands print: stdout and stderr apart, and all
// of one item together. A Result is what came of an item; an exit code other than 0 is a result, too, and no error. The
// joblog is a file with a line for each result, in the format of GNU parallel; by it a run that was interrupted is resumed.
//
//	func main() {
//		each.AllowCommands() // in this program, and the workers that it launches
//		sleigh.Main()
//		…
//		s, err := sleigh.Start(ctx, rdb, &sleigh.Options{Launch: sleigh.Local(4)})
//		…
//		summary, err := each.Run(ctx, s, each.Lines(os.Stdin), each.Command{Args: []string{"gzip", "-9", "{}"}},
//			&each.Options{Stdout: os.Stdout, Stderr: os.Stderr, Joblog: "gzip.log"})
//	}
//
// # Permission
//
// A worker runs commands only if it may: its program calls AllowCommands, or has NETSPACES_ALLOW_COMMANDS in its environment.
// A run ends with a NotAllowedError as soon as one worker refuses, so all workers of a team must allow the command. That
// protects the workers' machines from those who may write to their Redis.
//
// # How a command runs
//
// The worker executes the program itself, without a shell, in its own directory and with its own environment, from which
// REDIS_URL and all that begins with NETSPACES_ are taken: they are for workers, and may hold a password. SLEIGH_SEQ is the
// number of the item, from 1, and SLEIGH_RANK the worker's. Its standard input is empty, but for Command.Pipe.
//
// The command leads a process group and a session of its own, and so has no terminal. When its time is over, or the run is
// cancelled, the group gets SIGTERM, and SIGKILL when the command has ended, or two seconds later; when the worker dies it
// gets SIGKILL. Processes that a command leaves behind in the background are left alone; their output is closed (SIGPIPE).
//
// # Guarantees
//
// Each item has one result, and its output is written once. The command runs again, from the beginning, if its worker died,
// left before it had ended, or was cut off from Redis for longer than its lease, or where the results of several items that
// ended at the same moment exceed 64 MiB, which Redis does not take at once; else it runs once, but for Options.Retries.
// With a joblog or Results, what was written before the program was killed stays, and with Resume only what is missing runs;
// the item whose output was being written at that moment may come again.
//
// # Caveats
//
// Output is passed on as it is; but where it is text whose last newline is missing, the next item's begins on a new line,
// other than with GNU parallel. An item over which three workers died has exit code 125. The joblog has an item when its
// output was written: with KeepOrder that is not before those of all items in front of it.
package each
