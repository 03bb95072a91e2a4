//go:build !unix

package redistest

import (
	"errors"
	"os"
	"syscall"
)

func childAttr() *syscall.SysProcAttr { return nil }

func killProcess(p *os.Process) error { return p.Kill() }

func pauseProcess(int) error  { return errors.ErrUnsupported }
func resumeProcess(int) error { return errors.ErrUnsupported }
