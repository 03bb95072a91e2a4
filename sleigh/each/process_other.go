//go:build !unix

package each

import (
	"errors"
	"os/exec"
	"syscall"
	"time"
)

// backgroundFor is how long the end of what a command prints is waited for, when it has ended.
const backgroundFor = time.Second

// ownGroup does nothing where there are no process groups.
func ownGroup(*exec.Cmd) {}

func terminate(cmd *exec.Cmd) { _ = cmd.Process.Kill() } // there are no signals either
func kill(*exec.Cmd)          {}

func isTooLong(err error) bool { return errors.Is(err, syscall.Errno(206)) } // ERROR_FILENAME_EXCED_RANGE

// start starts the command. The returned function waits for its end.
func (p *process) start() (finish func(), err error) {
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	p.cmd.WaitDelay = backgroundFor
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	return func() { _ = p.cmd.Wait() }, nil
}

// watch does nothing.
func watch(int) (unwatch func()) { return func() {} }
