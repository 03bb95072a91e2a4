package each

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// killAfter is how long a command may go on after SIGTERM. It is less than what sleigh gives a function.
const killAfter = 2 * time.Second

// process is a command that runs.
type process struct {
	cmd            *exec.Cmd
	timeout        time.Duration
	stdout, stderr *stream

	exit, signal int
	timedOut     bool
}

func newProcess(path string, args []string, e *element, rank int) *process {
	p := &process{timeout: e.Timeout, stdout: &stream{limit: e.Output}, stderr: &stream{limit: e.Output}}
	p.cmd = &exec.Cmd{Path: path, Args: args, Env: environment(e.Seq, rank)}
	if e.Pipe {
		p.cmd.Stdin = strings.NewReader(string(e.Item))
	}
	ownGroup(p.cmd)
	return p
}

// environment is that of a command: what only the worker may know is not in it.
func environment(seq, rank int) []string {
	var env []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "NETSPACES_") && !strings.HasPrefix(variable, "REDIS_URL=") {
			env = append(env, variable)
		}
	}
	return append(env, "SLEIGH_SEQ="+strconv.Itoa(seq), "SLEIGH_RANK="+strconv.Itoa(rank))
}

// run runs the command until it ends by itself or is killed. An error is one of starting it.
func (p *process) run(ctx context.Context) error {
	if p.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.timeout)
		defer cancel()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	finish, err := p.start()
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	killed := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(killed)
		p.end(ended)
	})
	unguard := watch(p.cmd.Process.Pid)
	finish()
	close(ended)
	unguard()
	if !unwatch() {
		<-killed
		p.timedOut = ctx.Err() == context.DeadlineExceeded
	}
	p.note()
	return nil
}

// end has the command and what it has started end.
func (p *process) end(ended <-chan struct{}) {
	terminate(p.cmd)
	late := time.NewTimer(killAfter)
	defer late.Stop()
	select {
	case <-ended:
	case <-late.C:
	}
	kill(p.cmd) // also what outlives the one that was started
}

func (p *process) note() {
	state := p.cmd.ProcessState
	p.exit = state.ExitCode()
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		p.exit, p.signal = 0, int(status.Signal())
	}
	if p.timedOut {
		p.exit, p.signal = -1, int(syscall.SIGTERM)
	}
}

// stream is what a command has printed.
type stream struct {
	limit   int
	kept    []byte
	dropped int64
}

// Write keeps what there is room for.
func (s *stream) Write(b []byte) (int, error) {
	n := min(len(b), s.limit-len(s.kept))
	s.kept = append(s.kept, b[:n]...)
	s.dropped += int64(len(b) - n)
	return len(b), nil
}
