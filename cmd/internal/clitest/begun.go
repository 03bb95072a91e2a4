package clitest

import "os/exec"

// begun is a program that runs beside a script.
type begun struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

type begunKey struct{}
