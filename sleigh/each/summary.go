package each

import "time"

// Summary is what came of a run.
type Summary struct {
	Job       string        `json:"job,omitempty"` // its id in Redis
	Done      int           `json:"done"`          // items whose results were written, also those that failed
	Failed    int           `json:"failed"`        // of these
	Skipped   int           `json:"skipped"`       // by Resume, or as they were written before
	Submitted int           `json:"submitted"`     // items that were handed out, in all
	Detached  bool          `json:"detached"`
	Halted    bool          `json:"halted"`  // by Options.Halt
	Elapsed   time.Duration `json:"elapsed"` // as JSON in ns
}
