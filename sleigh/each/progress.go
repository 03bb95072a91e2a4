package each

import "time"

// Progress is how far a run is, in items.
type Progress struct {
	Done    int `json:"done"`   // with those that failed
	Failed  int `json:"failed"` // of these
	Skipped int `json:"skipped"`
	Total   int `json:"total"` // with those that are skipped; -1 while it is not known
}

// Summary is what came of a run.
type Summary struct {
	Job       string        `json:"job,omitempty"` // its id in Redis
	Done      int           `json:"done"`          // items that have a result, also those that failed
	Failed    int           `json:"failed"`        // of these
	Skipped   int           `json:"skipped"`       // by Resume, or as they were written before
	Submitted int           `json:"submitted"`     // items that were handed out
	Detached  bool          `json:"detached"`
	Halted    bool          `json:"halted"` // by Options.Halt
	Elapsed   time.Duration `json:"elapsed"`
}
