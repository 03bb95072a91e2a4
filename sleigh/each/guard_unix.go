//go:build unix

package each

import (
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
)

// guardScript waits for the end of its input, of which nothing comes: who has the other end has died then. The file that it has
// as 3 names process groups in its first line, which it kills.
const guardScript = `read -r end; read -r groups <&3; for g in $groups; do kill -KILL "-$g"; done`

// guard kills the process groups of commands that run when this process is killed: a shell of its own, which outlives it for
// that. It is told as soon as a command runs; what that starts before, in the moment when this process is killed, stays. The
// system can do so for a command (see dieWithUs), but not for what that has started. It is told by a file, so that commands
// that take a millisecond need not wake it.
type guard struct {
	mu      sync.Mutex
	started bool
	life    *os.File // the end of the pipe that only this process has
	file    *os.File // nil: there is no guard
	groups  map[int]bool
}

var theGuard = guard{groups: map[int]bool{}}

// watch has a command's group guarded until the returned function is called.
func watch(pid int) (unwatch func()) {
	theGuard.set(pid, true)
	return func() { theGuard.set(pid, false) }
}

func (g *guard) set(pid int, guarded bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.started {
		g.started = true
		g.start()
	}
	if delete(g.groups, pid); guarded {
		g.groups[pid] = true
	}
	var line []byte
	for _, group := range slices.Sorted(maps.Keys(g.groups)) {
		line = append(strconv.AppendInt(line, int64(group), 10), ' ')
	}
	if g.file != nil {
		_, _ = g.file.WriteAt(append(line, '\n'), 0) // a disk that is full has no room for a guard
	}
}

// start starts the shell. Where that fails, there is no guard.
func (g *guard) start() {
	r, w, err := os.Pipe()
	if err != nil {
		return
	}
	defer r.Close()
	file, err := os.CreateTemp("", "each-guard-")
	if err != nil {
		_ = w.Close()
		return
	}
	_ = os.Remove(file.Name())
	shell := exec.Command("/bin/sh", "-c", guardScript)
	shell.Stdin, shell.Dir, shell.Env, shell.ExtraFiles = r, "/", []string{}, []*os.File{file}
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // signals to our group are not for it
	if err := shell.Start(); err != nil {
		_, _ = w.Close(), file.Close()
		return
	}
	g.life, g.file = w, file
}
