package redistest

import (
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
)

// process is a child of this one. Its methods may be called on nil, which is one that has ended.
type process struct {
	cmd    *exec.Cmd
	killed atomic.Bool
	ended  chan struct{} // closed when it is gone
}

// startProcess starts a program that writes to out.
func startProcess(program string, args []string, dir string, out *os.File) (*process, error) {
	p := &process{cmd: exec.Command(program, args...), ended: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = childAttr()
	started := make(chan error)
	go func() {
		// Linux takes the end of the thread that has started a child for the end of its parent.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // the log tells more than its exit code
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) alive() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// crashed tells whether the process has ended by itself.
func (p *process) crashed() bool { return p != nil && !p.alive() && !p.killed.Load() }

// kill returns when the process is gone.
func (p *process) kill() error {
	if !p.alive() {
		return nil
	}
	p.killed.Store(true)
	if err := killProcess(p.cmd.Process); err != nil && p.alive() {
		return err
	}
	<-p.ended
	return nil
}
