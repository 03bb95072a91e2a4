package sleigh

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	firstRelaunch = 500 * time.Millisecond // the pause after a launch on another host has failed; each is twice as long
	lastRelaunch  = 30 * time.Second
	stderrShown   = 6 // lines of it in an error
)

// LaunchFailure is a worker that could not be launched.
type LaunchFailure struct {
	Host     string    `json:"host"`     // as SSH or Command was given it
	Rank     int       `json:"rank"`     // of the worker; -1 with Command
	Attempts int       `json:"attempts"` // that have failed in a row
	Cause    string    `json:"cause"`
	Stderr   string    `json:"stderr,omitempty"` // the last of what was printed
	At       time.Time `json:"at"`
}

// LaunchError says that no worker could be launched on any host. Calls of the sleigh return it.
type LaunchError struct {
	Failures []LaunchFailure // one for each worker
}

func (e *LaunchError) Error() string {
	var said []string
	for _, f := range e.Failures {
		lines := append([]string{"\n" + f.Host + ": " + f.Cause}, lastLines(f.Stderr)...)
		text := strings.Join(lines, "\n    ")
		if !slices.Contains(said, text) {
			said = append(said, text)
		}
	}
	return "no worker could be launched" + strings.Join(said, "")
}

// lastLines are the last lines of a text that say something.
func lastLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n\t "); line != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-stderrShown):]
}

// launches are those of a launcher that goes on trying where they fail. Nil is that of any other launcher.
type launches struct {
	log    *slog.Logger
	others func() bool // whether there are workers that it did not launch

	mu      sync.Mutex
	entries []entry
	success bool // one has, ever
}

// entry is one worker that is to be launched.
type entry struct {
	failure LaunchFailure // Attempts is 0 if there is none
	id      string        // of the last launch
}

func newLaunches(s *Sleigh, hosts []string) *launches {
	l := &launches{log: s.log, entries: make([]entry, len(hosts))}
	l.others = func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.there.Workers > s.places.count()
	}
	for i, host := range hosts {
		l.entries[i].failure.Host = host
	}
	return l
}

// pauses are the shortest and the longest between two launches.
func (l *launches) pauses() (shortest, longest time.Duration) {
	if l == nil {
		return firstRestart, lastRestart
	}
	return firstRelaunch, lastRelaunch
}

// begins notes the id of a launch, with which that of its worker begins.
func (l *launches) begins(i int, id string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries[i].id = id
}

// worked notes that a launch was successful.
func (l *launches) worked(i int) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.success = true
	l.entries[i].failure.Attempts = 0
}

// failed notes that so many launches have failed in a row, and tells it. It returns a LaunchError if all have, so that
// there is nothing to wait for.
func (l *launches) failed(i, attempts, rank int, cause, stderr string) error {
	l.mu.Lock()
	f := &l.entries[i].failure
	*f = LaunchFailure{Host: f.Host, Rank: rank, Attempts: attempts, Cause: cause, Stderr: stderr, At: time.Now()}
	host, hopeless := f.Host, !l.success
	all := make([]LaunchFailure, len(l.entries))
	for i, e := range l.entries {
		all[i] = e.failure
		hopeless = hopeless && e.failure.Attempts >= maxFailures
	}
	l.mu.Unlock()
	l.log.Warn("a worker could not be launched, trying again", "host", host, "rank", rank, "attempts", attempts, "cause", cause,
		"stderr", strings.Join(lastLines(stderr), "\n"))
	if hopeless && !l.others() {
		return &LaunchError{all}
	}
	return nil
}

// failures are those after which no worker has joined.
func (l *launches) failures(workers []WorkerStatus) []LaunchFailure {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []LaunchFailure
	for _, e := range l.entries {
		if e.failure.Attempts > 0 && !e.isAmong(workers) {
			all = append(all, e.failure)
		}
	}
	return all
}

// isAmong reports whether the worker of the last launch has joined.
func (e *entry) isAmong(workers []WorkerStatus) bool {
	return slices.ContainsFunc(workers, func(w WorkerStatus) bool { return e.id != "" && strings.HasPrefix(w.Info.Launch, e.id) })
}
