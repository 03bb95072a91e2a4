package each

import (
	"encoding/json"
	"time"
)

// Result is what came of an item. As JSON, bytes that are no UTF-8 are {"base64": …}, and Runtime is in seconds.
type Result struct {
	Seq     int // number of the item, from 1
	Item    string
	Command string // as a shell would want it
	Host    string
	Worker  int       // rank; -1 if it is not known
	Started time.Time // by the clock of the host
	Runtime time.Duration
	Runs    int    // how often the command was run: see Options.Retries
	Exit    int    // the exit code; 127 if there is no such program, 126 if it cannot or may not run, 125 if its workers died; 0 with Signal
	Signal  int    // that ended the command; 0 for none
	Timeout bool   // its time was over; Exit is -1 and Signal 15 then, as in GNU parallel
	Error   string // why it was not run, or was ended
	Stdout  []byte
	Stderr  []byte // with a line at the end that gives Error
	// StdoutDropped and StderrDropped are how many bytes are missing of these: see Options.OutputBytes.
	StdoutDropped, StderrDropped int64
}

// MarshalJSON is for encoding/json.
func (r Result) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Seq           int       `json:"seq"`
		Item          text      `json:"item"`
		Command       text      `json:"command"`
		Host          string    `json:"host"`
		Worker        int       `json:"worker"`
		Started       time.Time `json:"started"`
		Runtime       float64   `json:"runtime"`
		Runs          int       `json:"runs"`
		Exit          int       `json:"exit"`
		Signal        int       `json:"signal"`
		Timeout       bool      `json:"timeout"`
		Error         text      `json:"error,omitempty"`
		Stdout        text      `json:"stdout"`
		Stderr        text      `json:"stderr"`
		StdoutDropped int64     `json:"stdoutDropped,omitempty"`
		StderrDropped int64     `json:"stderrDropped,omitempty"`
	}{
		r.Seq, text(r.Item), text(r.Command), r.Host, r.Worker, r.Started, r.Runtime.Seconds(), r.Runs, r.Exit, r.Signal, r.Timeout,
		text(r.Error), text(r.Stdout), text(r.Stderr), r.StdoutDropped, r.StderrDropped,
	})
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
