//go:build unix

package sleigh

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup puts a worker into a process group of its own: Ctrl-C at the terminal is for its master, which then stops it,
// and killing it takes along what it runs.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		if cmd.Process.Pid < 2 { // of one that was released: the signal would go to all there are
			return os.ErrProcessDone
		}
		return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
}

// terminate asks a command that ownGroup was given, and what it runs, to end.
func terminate(cmd *exec.Cmd) {
	if pid := cmd.Process.Pid; pid > 1 {
		_ = syscall.Kill(-pid, syscall.SIGTERM)
	}
}
