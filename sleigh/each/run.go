package each

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/netspaces/netspaces/sleigh"
)

var errTodo = errors.New("not built yet")

// Run runs a command once for each item, on whichever worker is free, and writes what is printed as Options say. It blocks
// until all items have a result, or with Detach until Redis has them. Items are taken from the sequence as needed; one that
// fails ends it, and its error is returned when those before it are done.
//
// That a command failed is no error: Summary counts it. It returns a NotAllowedError if a worker may not run the command, the
// errors of writing, and those of sleigh.Func's Submit: among them sleigh.ErrFinished and sleigh.HeldError, for a job with a
// name. The summary is that of what was done before. Nil options are the defaults.
func Run(ctx context.Context, s *sleigh.Sleigh, items iter.Seq2[string, error], command Command, opts *Options) (Summary, error) {
	return Summary{}, errTodo
}

// Attach takes over the job of a name, as one that Run has left by Detach, or whose program was killed, and writes its results
// as Run does. Of the options, those count that say what to do with results; Pipe, Retries and the like are the job's. With
// Resume it passes over results that the joblog has. It returns the errors of sleigh.Func's Attach, and a NotAllowedError when all
// results are written, of which those that were refused have failed.
func Attach(ctx context.Context, s *sleigh.Sleigh, name string, opts *Options) (Summary, error) {
	return Summary{}, errTodo
}

// Retry runs those items of a job with a name again that failed, when all of its results were written, by Run or Attach. Their
// numbers are what they were. What fails again, or is not done when ctx ends, may be tried once more. It is a job that ends with
// this program. It returns sleigh.ErrNoJob if nothing is known of failures of such a job.
func Retry(ctx context.Context, s *sleigh.Sleigh, name string, opts *Options) (Summary, error) {
	return Summary{}, errTodo
}

func records(r io.Reader, end byte) iter.Seq2[string, error] { panic(errTodo) }

// ParseHalt reads when to stop as GNU parallel's --halt has it: never; soon or now, a comma, fail, success or done, =, and a
// number, which may be followed by %. 0, 1, 2, -1, -2 and 5% are its old forms of never; soon,fail=1; now,fail=1;
// soon,success=1; now,success=1 and soon,fail=5%.
func ParseHalt(text string) (Halt, error) { return Halt{}, errTodo }

// AllowCommands lets the workers of this process, and those that it launches, run commands: all, or those of the programs
// that are given. Call it before sleigh.Main. A program is given as an absolute path, or by a name without a slash, which means what
// that is on the worker's PATH: "ls" allows ls and /usr/bin/ls, if that is where it is, but neither ./ls nor /tmp/ls.
// Whoever may run a shell, env, find or the like may run anything.
func AllowCommands(programs ...string) {}
