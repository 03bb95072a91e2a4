package each

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

const mostOutput = 16 << 20 // bytes of a stream: as JSON, two of them and an item fit into a value

// Options are those of Run, Attach and Retry.
type Options struct {
	// Stdout and Stderr get what the commands print, all of one item together, byte by byte as it is; but text begins on a new
	// line. One call of Write is made at a time. An error of Write ends the run, and is returned. Default to nothing.
	Stdout, Stderr io.Writer
	// KeepOrder has the results come in the order of the items. Defaults to false: as they are there.
	KeepOrder bool
	// Tag puts the item and a TAB before each line that is printed. Defaults to false.
	Tag bool
	// OutputBytes is how much is kept of what a command prints, of each stream. The rest is dropped, and a line on stderr says
	// so. Defaults to 16 MiB, which is the most.
	OutputBytes int

	// Results is a directory that gets a folder 1/<item> for each item, with files stdout, stderr and seq, as those of GNU
	// parallel. It is made where it is missing. Stdout and Stderr get nothing then. In names of items, / is written \_, \ is
	// \\, TAB is \t, NUL is \0; a folder that would be named . or .. or nothing has \ before that. Long names are cut into
	// folders. An item that comes twice has the files of what was done last. Defaults to none.
	Results string
	// Joblog is a file that gets a line for each result, when its output has been written, in the format of GNU parallel. It
	// begins anew unless Resume or ResumeFailed is set. Defaults to none.
	Joblog string
	// Resume passes over the items whose numbers the joblog has; the items have to be the same. Defaults to false.
	Resume bool
	// ResumeFailed is Resume, but runs those again that failed. Defaults to false.
	ResumeFailed bool

	// Retries is how often a command is run at the most until it succeeds, by the worker that has the item. The result is that
	// of the last time. Defaults to 1.
	Retries int
	// Timeout ends a command that takes longer, each time that it is run; the item failed then. Defaults to none.
	Timeout time.Duration
	// Halt says when to stop before all is done. Defaults to never.
	Halt Halt
	// DryRun writes the commands to Stdout, quoted as a shell wants them, and runs nothing; the sleigh may be nil. Joblog is only
	// read, for Resume. Defaults to false.
	DryRun bool

	// Name has the job outlive this program, in a team that lasts: see sleigh.JobOptions.Name. The same call takes it over, and
	// Attach does. Defaults to a job that ends with this program.
	Name string
	// Detach has Run return when Redis has all items of a job with a name, and leave them to the workers. Results that are
	// there before that are not written: Attach has them all. Defaults to false.
	Detach bool
	// Priority is the share of the team that the job gets beside others. Defaults to 1.
	Priority int
	// Chunk is how many items are handed out together. Defaults to as many as take 50 ms.
	Chunk int

	// Total is how many items there are, where that is known, for Progress. Defaults to 0: it is not known.
	Total int
	// CountAhead has Run read items before they are wanted, so that Progress has Total early. It holds a million of them in
	// memory at the most, or as many as have 64 MiB; of what is longer, Total is known when the last ones of that are left.
	// Defaults to false: Total is known when all items are handed out.
	CountAhead bool
	// Progress is called each time that some more is done, or Total is known, one call at a time. Defaults to nothing.
	Progress func(Progress)
	// OnResult is called with each result, after its output was written and before the joblog has it, one call at a time. An
	// error ends the run, and is returned. With DryRun it has Seq, Item and Command alone. Defaults to nothing.
	OnResult func(Result) error
}

func (o *Options) resolve() (Options, error) {
	var r Options
	if o != nil {
		r = *o
	}
	for name, n := range map[string]int{
		"OutputBytes": r.OutputBytes, "Retries": r.Retries, "Timeout": int(r.Timeout), "Priority": r.Priority, "Chunk": r.Chunk, "Total": r.Total,
	} {
		if n < 0 {
			return r, fmt.Errorf("each: %s may not be negative", name)
		}
	}
	if r.OutputBytes > mostOutput {
		return r, fmt.Errorf("each: OutputBytes may be %d at the most", mostOutput)
	}
	if r.OutputBytes == 0 {
		r.OutputBytes = mostOutput
	}
	r.Retries = max(r.Retries, 1)
	if r.Stdout == nil {
		r.Stdout = io.Discard
	}
	if r.Stderr == nil {
		r.Stderr = io.Discard
	}
	switch {
	case (r.Resume || r.ResumeFailed) && r.Joblog == "":
		return r, errors.New("each: Resume needs a Joblog, which says what is done")
	case r.Detach && r.Name == "":
		return r, errors.New("each: Detach needs a Name, by which the job is found again")
	case r.Detach && r.Halt.Why != "":
		return r, errors.New("each: a job that is left to itself has nobody to Halt it")
	}
	if r.Results != "" && !r.DryRun {
		if err := os.MkdirAll(r.Results, 0o777); err != nil {
			return r, fmt.Errorf("each: results: %w", err)
		}
	}
	return r, r.Halt.check()
}

// job gives the options of the job.
func (o *Options) job() *sleigh.JobOptions {
	j := &sleigh.JobOptions{
		Name: o.Name, Priority: o.Priority, Chunk: o.Chunk, Ordered: o.KeepOrder,
		NoCopies: true, // what a command does, it does to the world
		Attempts: 2,    // of what did not come to a result, such as one that was too large beside others
		Backoff:  time.Millisecond,
	}
	if o.Halt.Why != "" { // no more than needed is handed out
		j.LoadFactor = 1
		j.Chunk = max(j.Chunk, 1)
	}
	return j
}
