package cli

import (
	"bytes"
	"io"
	"log/slog"
	"sync"
)

// LogLines takes what somebody else writes to stderr, such as another process: it goes there as it is or, where that is JSON, into
// the log by lines.
func (r *Run) LogLines(from string) io.Writer {
	if r.logging.isJSON() {
		return &lineLog{log: r.Log, from: from}
	}
	return r.Stderr
}

const lineBytes = 16 << 10 // of a line in the log; longer ones come in pieces

// lineLog makes a record of each line that is written to it.
type lineLog struct {
	log  *slog.Logger
	from string
	mu   sync.Mutex
	line []byte
}

func (l *lineLog) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line = append(l.line, text...)
	for {
		line, rest, ended := bytes.Cut(l.line, []byte("\n"))
		switch {
		case len(line) > lineBytes:
			line, rest = l.line[:lineBytes], l.line[lineBytes:]
		case !ended:
			return len(text), nil
		}
		l.log.Warn(string(line), "from", l.from)
		l.line = rest
	}
}
