package sleigh

import (
	"log"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

const (
	someElements = 1000                   // of which each is looked at whether it has printed; after as many that have not, only long ones
	longElement  = 100 * time.Microsecond // a look takes about one
)

// capture reads what a worker process prints: what is written to os.Stdout, also by children that inherit it. It does not
// touch os.Stderr: what goes there is read by whoever launched the process, so that its last words are not lost with it.
type capture struct {
	w *Worker

	mu      sync.Mutex // held while lines are read and put down, so that they keep their order
	pipe    *pipe
	running []*element
	since   time.Time // when one ended last
	quiet   int       // elements in a row that printed nothing
}

// captureOutput has what this process prints go to the master of w, and what it logs by log/slog, unless the program has set
// another default. A worker process calls it when it has joined, and the returned function before it closes the worker. A
// function that goes on then may still print: so os.Stdout stays as it is.
func captureOutput(w *Worker) (finish func()) {
	r, write, err := os.Pipe()
	if err != nil {
		w.log.Warn("what this worker prints stays here", "error", err)
		return func() {}
	}
	c := &capture{w: w}
	c.pipe = &pipe{c: c, r: r, buffer: make([]byte, pipeRead)}
	os.Stdout, w.capture = write, c
	if log.Writer() == os.Stderr { // nobody has set up slog's default, which would have taken over package log
		flags := log.Flags()
		slog.SetDefault(slog.New(newHandler(w, nil)))
		log.SetFlags(flags)
		log.SetOutput(os.Stderr)
	}
	go c.pipe.follow()
	return c.catchUp
}

// catchUp returns when all has been read that was printed until now.
func (c *capture) catchUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pipe.drain()
	if len(c.running) == 0 {
		c.pipe.lines.end(c.pipe.emit)
	}
}

// begun notes that an element begins.
func (c *capture) begun(el *element) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.running) == 1 || c.quiet == 0 { // what is there may be another's
		c.pipe.drain()
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
		c.pipe.drain()
		if alone {
			c.pipe.lines.end(c.pipe.emit)
		}
	} else {
		c.pipe.certain = false
	}
	if i := slices.Index(c.running, el); i >= 0 {
		c.running = slices.Delete(c.running, i, i+1)
	}
}

// only is the element that runs, if it is the only one.
func (c *capture) only() *element {
	if len(c.running) != 1 {
		return nil
	}
	return c.running[0]
}

// pipe is what a worker process prints into.
type pipe struct {
	c       *capture
	r       *os.File
	buffer  []byte
	certain bool // it was empty since another element ran
	lines   lines
}

const pipeRead = 32 << 10

// take takes what was read. c.mu is held.
func (p *pipe) take(text []byte) {
	p.c.quiet = 0
	p.lines.take(text, p.emit)
}

func (p *pipe) emit(text string) {
	line := printed{Stream: Stdout, Text: text}
	if p.certain {
		line = line.by(p.c.only())
	}
	p.c.w.out.add(line)
}

// by says for which element it was printed, if that is known.
func (p printed) by(el *element) printed {
	if el != nil {
		index := el.index
		p.Job, p.Index = el.e.task.Job, &index
	}
	return p
}
