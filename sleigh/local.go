package sleigh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// Local has n worker processes on this machine: copies of this program, whose main must call Main first. They end with
// this process, however it ends. A worker that dies is replaced.
func Local(n int) Launcher { return local(n) }

type local int

const (
	maxFailures  = 3 // processes in a row that end before they joined
	firstRestart = 100 * time.Millisecond
)

func (n local) size() int { return int(n) }

func (n local) launch(s *Sleigh) (team, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("sleigh: cannot launch workers: %w", err)
	}
	p := &processes{s: s, program: program}
	p.ctx, p.kill = context.WithCancel(context.Background())
	for rank := range int(n) {
		p.running.Go(func() { p.keep(rank) })
	}
	return p, nil
}

// processes is the team that Local launches.
type processes struct {
	s       *Sleigh
	program string
	ctx     context.Context // ends to kill them
	kill    context.CancelFunc
	running sync.WaitGroup
}

func (p *processes) end(ctx context.Context) {
	unwatch := context.AfterFunc(ctx, p.kill)
	defer unwatch()
	p.running.Wait()
	p.kill()
}

// keep has one worker of the rank run, until the sleigh stops.
func (p *processes) keep(rank int) {
	pause := firstRestart
	stderr := p.s.output.stderrHere(rank)
	defer stderr.close()
	for failures := 0; p.s.ctx.Err() == nil; {
		pid, err := p.run(rank, stderr)
		if p.s.ctx.Err() != nil {
			return
		}
		if p.bury(rank, pid) {
			failures, pause = 0, firstRestart
		} else if failures++; failures == maxFailures {
			p.s.fail(fmt.Errorf("sleigh: the worker of rank %d ended %d times before it joined, at last with %v: "+
				"does main call sleigh.Main() first? What the worker printed stands above", rank, failures, err))
			return
		}
		p.s.log.Warn("worker ended, another one takes its rank", "rank", rank, "pid", pid, "error", err)
		select {
		case <-time.After(pause):
			pause *= 2
		case <-p.s.ctx.Done():
		}
	}
}

// run has a worker process run to its end.
func (p *processes) run(rank int, stderr *stderrWriter) (pid int, err error) {
	cmd := exec.CommandContext(p.ctx, p.program, "worker", strconv.Itoa(rank), "of", p.s.Name())
	cmd.Env = append(os.Environ(), workerEnv+"=1")
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = stderr, stderr, lastWords // what it starts may live on
	defer stderr.ended()
	ownGroup(cmd)
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	line, err := json.Marshal(invitation{Redis: p.s.rdb.URL(), Member: p.s.member(rank)})
	if err == nil {
		_, err = lifeline.Write(append(line, '\n'))
	}
	if err != nil {
		p.s.log.Warn("worker was not told what to do", "rank", rank, "error", err)
	}
	return cmd.Process.Pid, cmd.Wait()
}

// bury gives the tasks of a dead worker to others, and reports whether it had joined. It does not return before that is
// done: the next worker of the rank has to find them, and may otherwise wait for what they are to store.
func (p *processes) bury(rank, pid int) bool {
	for {
		joined, err := p.tryBury(rank, pid)
		switch {
		case err == nil:
			return joined
		case errors.Is(err, workspace.ErrNoWorkspace):
			p.s.fail(err) // somebody deleted the sleigh
			return true
		}
		p.s.log.Warn("tasks of a dead worker were not given to others, trying again", "rank", rank, "error", err)
		select {
		case <-time.After(retryPause):
		case <-p.s.ctx.Done():
			return true
		}
	}
}

func (p *processes) tryBury(rank, pid int) (joined bool, err error) {
	var info WorkerInfo
	known, err := p.s.own.TryFind(p.s.ctx, workerVarOf(rank), &info)
	if err != nil || !known || info.PID != pid {
		return false, err
	}
	for _, variable := range []string{taskVar, taskVarOf(rank)} {
		if err := p.s.own.EndClaims(p.s.ctx, variable, info.Client); err != nil {
			return true, err
		}
	}
	return true, nil
}

// member is what a worker of the rank has to know.
func (s *Sleigh) member(rank int) member {
	return member{Sleigh: s.Name(), Rank: rank, Count: s.workers, Lease: s.lease, Slots: s.slots, Level: s.level}
}
