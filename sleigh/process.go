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
)

// processes has workers of a rank that are processes of this program, one after the other.
type processes struct {
	program string
	redis   string    // URL, with password
	output  io.Writer // gets what they print, other than what they send to the master themselves
	ended   func()    // is called when one has ended
	stays   bool      // the sleigh goes on when this process has died
	kill    context.Context
}

// run is for a keeper.
func (p *processes) run(leave, now context.Context, m member) end {
	ctx, cancel := context.WithCancel(p.kill)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.program, "worker", strconv.Itoa(m.Rank), "of", m.Sleigh)
	cmd.Env = append(os.Environ(), workerEnv+"=1")
	printed := &tail{to: p.output}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = printed, printed, outputFor
	defer p.ended()
	ownGroup(cmd)
	lifeline, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return end{err: err}
	}
	_, err = lifeline.Write(append(asJSON(invitation{Redis: p.redis, Stays: p.stays, Member: m}), '\n'))
	if err != nil {
		err = fmt.Errorf("the worker was not told what to do: %w", err)
	}
	ended := make(chan struct{})
	var telling sync.WaitGroup
	telling.Go(func() { tell(leave, now, lifeline, m.Drain, ended, cancel) })
	_ = cmd.Wait()
	close(ended)
	telling.Wait()

	e := end{pid: cmd.Process.Pid, cause: cmd.ProcessState.String(), stderr: printed.String(), err: err}
	for ending, code := range exitCodes {
		if cmd.ProcessState.ExitCode() == code {
			e.ending = ending
		}
	}
	return e
}

// tell gives a worker its orders, and kills it if it does not follow.
func tell(leave, now context.Context, lifeline io.Writer, drain time.Duration, ended <-chan struct{}, kill func()) {
	say := func(o order) { _, _ = fmt.Fprintln(lifeline, o) } // where this fails, it has ended
	var late <-chan time.Time
	soon, atOnce := leave.Done(), now.Done()
	for {
		select {
		case <-ended:
			return
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
	Redis  string `json:"redis"` // URL, with password
	Stays  bool   `json:"stays"` // the sleigh goes on when who sent this has died
	Member member `json:"member"`
}

func (inv *invitation) read(line []byte) error {
	if err := json.Unmarshal(line, inv); err != nil {
		return fmt.Errorf("what came from the master is not readable: %w", err)
	}
	return nil
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

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.last)
}
