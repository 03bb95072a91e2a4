package sleigh

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

const (
	stderrKept  = 4 << 10          // bytes of what a worker printed last
	outputFor   = time.Second      // what a worker has launched may hold its output open for so long
	killAfter   = 5 * time.Second  // a worker that is to leave at once is killed then
	leaveWithin = 10 * time.Second // one that drains, when its time for that is over
	beatsMissed = 3                // signs of life of a keeper, after which it counts as dead
)

// processes has workers of a rank that are processes, one after the other.
type processes struct {
	place  place
	output io.Writer // gets what they print, other than what they send to the master themselves
	ended  func()    // is called when one has ended
	stays  bool      // the sleigh goes on when this process has died
	kill   context.Context
}

// place is where worker processes are started.
type place interface {
	// prepare gives the command of a worker, which ends when ctx does, and what else there is to know. It may take its time
	// until leave ends. What is printed is to go to printed.
	prepare(ctx, leave context.Context, m member, printed *tail) (*child, error)
}

// child is a worker process that is about to begin.
type child struct {
	cmd   *exec.Cmd
	redis func(ctx context.Context) (string, error) // gives the URL that the worker is told, with password
	beat  time.Duration                             // between two signs that who launched it lives; 0 if it sees that
	ended func(code int) (cause string)             // is called at its end; says how it ended, if that is not clear
}

// run is for a keeper.
func (p *processes) run(leave, now context.Context, m member) end {
	ctx, cancel := context.WithCancel(p.kill)
	defer cancel()
	printed := &tail{to: p.output}
	defer p.ended()
	c, err := p.place.prepare(ctx, leave, m, printed)
	if err != nil {
		return end{err: err, stderr: printed.String()}
	}
	c.cmd.WaitDelay = outputFor
	ownGroup(c.cmd)
	lifeline, err := c.cmd.StdinPipe()
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		c.ended(-1)
		return end{err: err}
	}
	running, over := context.WithCancel(ctx)
	killed := false
	var telling sync.WaitGroup
	telling.Go(func() {
		if err = p.invite(running, leave, lifeline, c, m); err != nil {
			cancel()
			return
		}
		tell(leave, now, lifeline, c.beat, m.Drain, running.Done(), func() { killed = true; cancel() })
	})
	_ = c.cmd.Wait()
	over()
	telling.Wait()

	state := c.cmd.ProcessState
	e := end{pid: c.cmd.Process.Pid, cause: state.String(), killed: killed, err: err}
	if cause := c.ended(state.ExitCode()); cause != "" {
		e.cause = cause
	}
	e.stderr = printed.String()
	for ending, code := range exitCodes {
		if state.ExitCode() == code {
			e.ending = ending
		}
	}
	return e
}

// invite tells a worker what it is.
func (p *processes) invite(running, leave context.Context, lifeline io.Writer, c *child, m member) error {
	asking, cancel := context.WithCancel(running)
	defer cancel()
	defer context.AfterFunc(leave, cancel)()
	url, err := c.redis(asking)
	if err == nil {
		inv := invitation{Redis: url, Stays: p.stays, Silence: beatsMissed * c.beat, Member: m}
		if _, err = lifeline.Write(append(asJSON(inv), '\n')); err != nil {
			pause(asking, killAfter) // it does not read since it ends
		}
	}
	if err == nil || isDone(running) {
		return nil // how it ended tells more
	}
	return fmt.Errorf("the worker was not told what to do: %w", err)
}

// tell gives a worker its orders, and kills it if it does not follow.
func tell(leave, now context.Context, lifeline io.Writer, beat, drain time.Duration, ended <-chan struct{}, kill func()) {
	say := func(o order) { _, _ = fmt.Fprintln(lifeline, o) } // where this fails, it has ended
	var beats, late <-chan time.Time
	if beat > 0 {
		tick := time.NewTicker(beat)
		defer tick.Stop()
		beats = tick.C
	}
	soon, atOnce := leave.Done(), now.Done()
	for {
		select {
		case <-ended:
			return
		case <-beats:
			say(beatOrder)
		case <-soon:
			say(leaveOrder)
			soon, late = nil, time.After(drain+leaveWithin)
		case <-atOnce:
			say(nowOrder)
			atOnce, soon, late = nil, nil, time.After(killAfter)
		case <-late:
			kill()
			late = nil
		}
	}
}

// invitation is the line that a worker process reads. Orders follow, a line each.
type invitation struct {
	Redis string `json:"redis"` // URL, with password
	Stays bool   `json:"stays"` // the sleigh goes on when who sent this has died
	// Silence is how long nothing may come after this until who sent it counts as dead; 0 for as long as it likes.
	Silence time.Duration `json:"silence,omitempty"`
	Member  member        `json:"member"`
}

func (inv *invitation) read(line []byte) error {
	if err := json.Unmarshal(line, inv); err != nil {
		return fmt.Errorf("what came from the master is not readable: %w", err)
	}
	return nil
}

// onThisHost starts processes of this program.
type onThisHost struct {
	program string
	redis   string // URL, with password
}

func (h onThisHost) prepare(ctx, _ context.Context, m member, printed *tail) (*child, error) {
	cmd := exec.CommandContext(ctx, h.program, "worker", strconv.Itoa(m.Rank), "of", m.Sleigh)
	cmd.Env = append(os.Environ(), workerEnv+"=1")
	cmd.Stdout, cmd.Stderr = printed, printed
	return &child{
		cmd:   cmd,
		redis: func(context.Context) (string, error) { return h.redis, nil },
		ended: func(int) string { return "" },
	}, nil
}

// tail passes on what is written to it, and keeps the last of it.
type tail struct {
	to io.Writer

	mu   sync.Mutex
	last []byte
}

func (t *tail) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, text...)
	if over := len(t.last) - stderrKept; over > 0 {
		t.last = append(t.last[:0], t.last[over:]...)
	}
	_, _ = t.to.Write(text) // a worker must not end because nobody listens
	return len(text), nil
}

// recall has it keep what was passed on by another one.
func (t *tail) recall(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = []byte(text)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.last)
}
