package sleigh

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Master is who has a job of a team that lasts.
type Master struct {
	Client  string `json:"client"` // its name in Redis; empty if it has left the job
	Host    string `json:"host"`
	PID     int    `json:"pid"`
	Program string `json:"program"`
	// Since is when it began or took over the job, by its own clock.
	Since time.Time `json:"since"`
}

func (m Master) String() string { return fmt.Sprintf("%s (pid %d) on %s", m.Program, m.PID, m.Host) }

// mastery is what Redis has of it: scripts read the client, and what becomes of the job without it.
type mastery struct {
	Master
	Pause       bool  `json:"pause,omitempty"`
	CancelAfter int64 `json:"cancelAfter,omitempty"` // ms; 0: never
	Done        bool  `json:"done,omitempty"`        // all results are there, and kept for so long
}

const unnamedFor = 30 * time.Second // a job without a name outlives its master so long

// mastery is empty in a team that ends with its master.
func (j *job) mastery() []byte {
	if !j.s.lasts {
		return nil
	}
	m := mastery{Master: j.s.asMaster(), Pause: j.o.Pause, CancelAfter: inMS(j.o.CancelAfter)}
	if j.lasting == nil {
		m.CancelAfter = unnamedFor.Milliseconds()
	} else {
		m.Done = j.lasting.done
	}
	return asJSON(m)
}

// inMS is a time in milliseconds, at least one if it is not 0.
func inMS(d time.Duration) int64 {
	if d == 0 {
		return 0
	}
	return max(d.Milliseconds(), 1)
}

func (s *Sleigh) asMaster() Master {
	return Master{s.own.Client(), hostname(), os.Getpid(), filepath.Base(os.Args[0]), time.Now()}
}

// HeldError says that a job has another master.
type HeldError struct {
	Job    string
	Master Master

	silent time.Duration // since it gave a sign of life
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("the job %q has a master, since %s: %s", e.Job, e.Master.Since.Format(time.DateTime), e.Master)
}

func (j *job) heldBy(text string) error {
	e := &HeldError{Job: j.o.Name}
	if err := json.Unmarshal([]byte(text), &e.Master); err != nil {
		return fmt.Errorf("who has the job %q is not readable: %w", j.o.Name, err)
	}
	return e
}
