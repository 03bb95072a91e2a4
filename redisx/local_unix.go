//go:build unix

package redisx

import (
	"os/exec"
	"syscall"
)

const localSupported = true

// detach puts the guard and its server into a session of their own. Ctrl-C or the end of the terminal then reaches their
// owner only, who still needs the server in order to clean up.
func detach(guard *exec.Cmd) {
	guard.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
}

// killGroup ends a guard that hangs, and its server.
func killGroup(guard *exec.Cmd) {
	_ = syscall.Kill(-guard.Process.Pid, syscall.SIGKILL)
}
