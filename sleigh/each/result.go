package each

import "time"

// Result is what came of an item.
type Result struct {
	Seq     int           `json:"seq"` // number of the item, from 1
	Item    string        `json:"item"`
	Command string        `json:"command"` // as a shell would want it
	Host    string        `json:"host"`
	Worker  int           `json:"worker"`  // rank; -1 if it is not known
	Started time.Time     `json:"started"` // by the clock of the host
	Runtime time.Duration `json:"runtime"`
	Runs    int           `json:"runs"`            // how often the command was run: see Options.Retries
	Exit    int           `json:"exit"`            // the exit code; 127 if there is no such program, 126 if it cannot be run, 0 with Signal
	Signal  int           `json:"signal"`          // that ended the command; 0 for none
	Timeout bool          `json:"timeout"`         // its time was over
	Error   string        `json:"error,omitempty"` // why it was not run, or was ended
	Stdout  []byte        `json:"-"`
	Stderr  []byte        `json:"-"` // with a line at the end that gives Error
	// StdoutDropped and StderrDropped are how many bytes are missing of these: see Options.OutputBytes.
	StdoutDropped int64 `json:"stdoutDropped,omitempty"`
	StderrDropped int64 `json:"stderrDropped,omitempty"`
}

// Failed reports whether the command did not succeed.
func (r *Result) Failed() bool { return r.Exit != 0 || r.Signal != 0 || r.Timeout }

// ExitCode is the exit code as a shell gives it: 128 and the signal, if one ended the command; 124 if its time was over.
func (r *Result) ExitCode() int {
	switch {
	case r.Timeout:
		return 124
	case r.Signal != 0:
		return 128 + r.Signal
	}
	return r.Exit
}
