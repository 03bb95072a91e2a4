package each

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"
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
	var b bytes.Buffer
	to := json.NewEncoder(&b)
	to.SetEscapeHTML(false) // whoever wants that has encoding/json do it
	var why any
	if r.Error != "" {
		why = readable(r.Error)
	}
	err := to.Encode(struct {
		Seq           int       `json:"seq"`
		Item          any       `json:"item"`
		Command       any       `json:"command"`
		Host          string    `json:"host"`
		Worker        int       `json:"worker"`
		Started       time.Time `json:"started,omitzero"`
		Runtime       float64   `json:"runtime"`
		Runs          int       `json:"runs"`
		Exit          int       `json:"exit"`
		Signal        int       `json:"signal"`
		Timeout       bool      `json:"timeout"`
		Error         any       `json:"error,omitempty"`
		Stdout        any       `json:"stdout"`
		Stderr        any       `json:"stderr"`
		StdoutDropped int64     `json:"stdoutDropped,omitempty"`
		StderrDropped int64     `json:"stderrDropped,omitempty"`
	}{
		r.Seq, readable(r.Item), readable(r.Command), r.Host, r.Worker, r.Started, r.Runtime.Seconds(), r.Runs, r.Exit, r.Signal, r.Timeout,
		why, readable(string(r.Stdout)), readable(string(r.Stderr)), r.StdoutDropped, r.StderrDropped,
	})
	return b.Bytes(), err
}

// readable is how bytes look as JSON for whoever reads a result: a string whenever they are UTF-8, other than with text, which
// is to be short.
func readable(s string) any {
	if utf8.ValidString(s) {
		return s
	}
	return encoded{[]byte(s)}
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
