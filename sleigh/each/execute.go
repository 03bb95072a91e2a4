package each

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"time"

	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// element is an item, with all that a worker has to know of it.
type element struct {
	Seq     int           `json:"seq"`
	Item    text          `json:"item"`
	Args    []text        `json:"args"` // of Command
	Pipe    bool          `json:"pipe,omitempty"`
	Retries int           `json:"retries,omitempty"`
	Timeout time.Duration `json:"timeout,omitempty"`
	Output  int           `json:"output,omitempty"` // Options.OutputBytes
	Halt    string        `json:"halt,omitempty"`   // a variable of the user workspace: no command begins once it has a value
	Skip    bool          `json:"skip,omitempty"`   // it is there for its index only
	Named   bool          `json:"named,omitempty"`  // if it fails, it is sent back, for Retry
}

// outcome is what came of an element.
type outcome struct {
	Seq     int           `json:"seq"`
	Item    text          `json:"item"`
	Command text          `json:"command"`
	Host    string        `json:"host"`
	Started int64         `json:"started"` // ms since 1970
	Runtime time.Duration `json:"runtime"`
	Runs    int           `json:"runs"`
	Exit    int           `json:"exit,omitempty"`
	Signal  int           `json:"signal,omitempty"`
	Timeout bool          `json:"timeout,omitempty"`
	Error   text          `json:"error,omitempty"`
	Stdout  text          `json:"stdout,omitempty"`
	Stderr  text          `json:"stderr,omitempty"`

	StdoutDropped int64 `json:"stdoutDropped,omitempty"`
	StderrDropped int64 `json:"stderrDropped,omitempty"`

	Skipped bool     `json:"skipped,omitempty"` // nothing was run
	Refused *refusal `json:"refused,omitempty"` // nothing was run, since it may not be
	Failed  *element `json:"failed,omitempty"`
}

// refusal is what a worker does not run.
type refusal struct {
	Program text `json:"program"`
	Listed  bool `json:"listed,omitempty"` // others may run
}

// The exit codes of a shell, for what cannot be run.
const (
	exitNotRun   = 126
	exitNotFound = 127
)

var function = sleigh.Register("each", execute)

// execute is what workers run.
func execute(ctx context.Context, e element) (outcome, error) {
	w := sleigh.WorkerFrom(ctx)
	o := outcome{Seq: e.Seq, Item: e.Item, Host: w.Host()}
	if e.Skip || e.Halt != "" && isHalted(ctx, w.User(), e.Halt) {
		o.Skipped = true
		return o, ctx.Err()
	}
	args := expand(e.Args, string(e.Item), e.Seq, e.Pipe)
	o.Command = text(quote(args))
	for o.Runs = 1; ; o.Runs++ {
		began := time.Now()
		o.Started = began.UnixMilli()
		o.runOnce(ctx, &e, args, w.Rank())
		o.Runtime = time.Since(began)
		if ctx.Err() != nil {
			return o, ctx.Err() // it was killed, and that is nobody's failure
		}
		if !o.failed() || o.Refused != nil || o.Runs >= e.Retries {
			break
		}
	}
	if e.Named && o.failed() {
		o.Failed = &e
	}
	return o, nil
}

func (o *outcome) failed() bool { return o.Exit != 0 || o.Signal != 0 || o.Timeout }

func isHalted(ctx context.Context, user *workspace.Workspace, variable string) bool {
	known, err := user.Known(ctx, variable)
	return known && err == nil
}

// runOnce runs the command, and notes what came of it.
func (o *outcome) runOnce(ctx context.Context, e *element, args []string, rank int) {
	o.Exit, o.Signal, o.Timeout, o.Error, o.Stdout, o.Stderr = 0, 0, false, "", "", ""
	may := allowed()
	path, err := find(args[0])
	if !may.allows(path, args[0]) {
		listed := len(may.programs) > 0
		o.Exit, o.Refused = exitNotRun, &refusal{text(args[0]), listed}
		o.Error = text((&NotAllowedError{Host: o.Host, Worker: rank, Program: args[0], Listed: listed}).Error())
		o.Stderr = o.Error + "\n"
		return
	}
	var p *process
	if err == nil {
		p = newProcess(path, args, e, rank)
		err = p.run(ctx)
	}
	if err != nil {
		o.notRun(args[0], err)
		return
	}
	o.Exit, o.Signal, o.Timeout = p.exit, p.signal, p.timedOut
	o.Stdout, o.StdoutDropped = text(p.stdout.kept), p.stdout.dropped
	o.Stderr, o.StderrDropped = text(p.stderr.kept), p.stderr.dropped
	if p.timedOut {
		o.Error = text(fmt.Sprintf("%s: killed on %s, since it took longer than %v", args[0], o.Host, e.Timeout))
		o.Stderr = line(o.Stderr) + o.Error + "\n"
	}
}

// line ends the last line, if nothing did.
func line(t text) text {
	if t == "" || t[len(t)-1] == '\n' {
		return t
	}
	return t + "\n"
}

// notRun notes why a command could not be started.
func (o *outcome) notRun(program string, err error) {
	o.Exit = exitNotRun
	var why string
	switch {
	case errors.Is(err, exec.ErrNotFound):
		o.Exit, why = exitNotFound, "there is no such program on the worker's PATH"
	case errors.Is(err, fs.ErrNotExist):
		o.Exit, why = exitNotFound, "there is no such program"
	case isTooLong(err):
		why = "its arguments are longer than the system takes; one on stdin (--pipe, Command.Pipe) has no such limit"
	default:
		why = err.Error()
	}
	o.Error = text(fmt.Sprintf("%.200s: not run on %s: %s", program, o.Host, why))
	o.Stderr = o.Error + "\n"
}
