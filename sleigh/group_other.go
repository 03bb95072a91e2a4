//go:build !unix

package sleigh

import "os/exec"

// ownGroup does nothing where there are no process groups.
func ownGroup(*exec.Cmd) {}

// terminate does nothing where there are no signals.
func terminate(*exec.Cmd) {}
