package redistest

import (
	"os"
	"syscall"
)

// childAttr has a server die with this process, whatever way that goes. In a group of its own it can be killed together
// with the children that it forks in order to save its data.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

func killProcess(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }
