//go:build unix && !linux

package redistest

import (
	"os"
	"syscall"
)

// childAttr leaves a server in the group of the test, so that at least Ctrl-C ends both.
func childAttr() *syscall.SysProcAttr { return nil }

func killProcess(p *os.Process) error { return p.Kill() }
