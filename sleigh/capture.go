package sleigh

import (
	"bytes"
	"log"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	someElements = 1000                   // of which each is looked at whether it has printed; after as many that have not, only long ones
	longElement  = 100 * time.Microsecond // a look takes about one
)

// capture reads what a worker process prints: what is written to os.Stdout and os.Stderr, by children too that inherit them,
// and by package log and the default of log/slog where the program has not set them up otherwise.
type capture struct {
	w      *Worker
	stderr *os.File // that of the process, which its launcher reads

	mu      sync.Mutex // held while lines are read and put down, so that they keep their order
	pipes   []*pipe
	running []*element
	since   time.Time // when one ended last
	quiet   int       // elements in a row that printed nothing
}

// captureOutput has what this process prints go to the master of w. A worker process calls it when it has joined, and the
// returned function before it closes the worker. A function that goes on then may still print: so the variables stay.
func captureOutput(w *Worker) (finish func()) {
	c := &capture{w: w, stderr: os.Stderr}
	for _, p := range []struct {
		stream Stream
		file   **os.File
	}{{Stdout, &os.Stdout}, {Stderr, &os.Stderr}} {
		r, write, err := os.Pipe()
		if err != nil {
			w.log.Warn("what this worker prints stays here", "error", err)
			continue
		}
		*p.file = write
		c.pipes = append(c.pipes, &pipe{c: c, stream: p.stream, r: r, buffer: make([]byte, pipeRead)})
	}
	if log.Writer() == c.stderr { // nobody has set it up
		flags := log.Flags()
		slog.SetDefault(slog.New(newHandler(w, nil))) // goes to package log, too
		log.SetFlags(flags)
		log.SetOutput(c)
	}
	w.capture = c
	for _, p := range c.pipes {
		go p.follow()
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.drain()
		c.endLines()
	}
}

// begun notes that an element begins.
func (c *capture) begun(el *element) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.running) == 1 {
		c.drain()
	}
	c.running = append(c.running, el)
}

// ended notes that an element has ended. What it printed without a newline at its end is a line, too.
func (c *capture) ended(el *element) {
	c.mu.Lock()
	defer c.mu.Unlock()
	alone, before := len(c.running) == 1, c.since
	c.since = time.Now()
	if !alone || c.quiet < someElements || c.since.Sub(before) > longElement {
		c.quiet++
		c.drain()
		if alone {
			c.endLines()
		}
	} else {
		for _, p := range c.pipes {
			p.certain = false
		}
	}
	if i := slices.Index(c.running, el); i >= 0 {
		c.running = slices.Delete(c.running, i, i+1)
	}
}

// drain reads what has been printed until now. c.mu is held.
func (c *capture) drain() {
	for _, p := range c.pipes {
		p.drain()
	}
}

func (c *capture) endLines() {
	for _, p := range c.pipes {
		if p.begun {
			p.endLine()
		}
	}
}

// only is the element that runs, if it is the only one.
func (c *capture) only() *element {
	if len(c.running) != 1 {
		return nil
	}
	return c.running[0]
}

// Write takes what package log writes.
func (c *capture) Write(text []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drain()
	if isFatal() { // the process ends right away; whoever launched it gets to see this
		c.w.out.close()
		return c.stderr.Write(text)
	}
	for line := range bytes.Lines(text) {
		c.w.out.add(printed{Stream: Stderr, Text: cut(string(bytes.TrimSuffix(line, []byte("\n"))), 0)}.by(c.only()))
	}
	return len(text), nil
}

// isFatal reports whether log.Fatal is writing.
func isFatal() bool {
	var callers [10]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers[:])])
	for {
		frame, more := frames.Next()
		if strings.HasPrefix(frame.Function, "log.") && strings.Contains(frame.Function, ".Fatal") {
			return true
		}
		if !more {
			return false
		}
	}
}

// pipe is one of the two that a worker process prints into.
type pipe struct {
	c       *capture
	stream  Stream
	r       *os.File
	buffer  []byte
	certain bool   // it was empty since another element ran
	begun   bool   // a line has
	line    []byte // the beginning of it
	more    int    // bytes of it that are left out
}

const pipeRead = 32 << 10

// take takes what was read. c.mu is held.
func (p *pipe) take(text []byte) {
	p.c.quiet = 0
	for len(text) > 0 {
		part, rest, ended := bytes.Cut(text, []byte("\n"))
		n := min(lineBytes-len(p.line), len(part))
		p.line = append(p.line, part[:n]...)
		p.more += len(part) - n
		if p.begun = true; ended {
			p.endLine()
		}
		text = rest
	}
}

func (p *pipe) endLine() {
	line := printed{Stream: p.stream, Text: cut(string(p.line), p.more)}
	if p.certain {
		line = line.by(p.c.only())
	}
	p.c.w.out.add(line)
	p.line, p.more, p.begun = p.line[:0], 0, false
}

// by says for which element it was printed, if that is known.
func (p printed) by(el *element) printed {
	if el != nil {
		index := el.index
		p.Job, p.Index = el.e.task.Job, &index
	}
	return p
}
