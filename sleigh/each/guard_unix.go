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
	"time"
)

// guardAfter is how long a command runs until the guard is told of it: most end sooner, and cost nothing.
const guardAfter = 20 * time.Millisecond

// guardScript reads lines of process groups. When its input ends, since who wrote them has died, it kills those of the last line.
const guardScript = `while read -r line; do groups=$line; done; for g in $groups; do kill -KILL "-$g"; done`

// guard kills the process groups of commands that run when this process is killed: a shell of its own, which outlives it for
// that. The system can do so for a command (see dieWithUs), but not for what that has started.
type guard struct {
	mu     sync.Mutex
	shell  *exec.Cmd
	orders *os.File // nil before there is a shell
	groups map[int]bool
}

var theGuard = guard{groups: map[int]bool{}}

// watch has a command's group guarded until the returned function is called.
func watch(pid int) (unwatch func()) {
	added := make(chan struct{})
	late := time.AfterFunc(guardAfter, func() {
		defer close(added)
		theGuard.set(pid, true)
	})
	return func() {
		if !late.Stop() {
			<-added
			theGuard.set(pid, false)
		}
	}
}

func (g *guard) set(pid int, guarded bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if delete(g.groups, pid); guarded {
		g.groups[pid] = true
	}
	if g.orders == nil {
		g.start()
	}
	var line []byte
	for _, group := range slices.Sorted(maps.Keys(g.groups)) {
		line = append(strconv.AppendInt(line, int64(group), 10), ' ')
	}
	if g.orders == nil {
		return
	}
	if _, err := g.orders.Write(append(line, '\n')); err != nil { // it was killed: the next call starts another one
		_ = g.orders.Close()
		_ = g.shell.Wait()
		g.orders = nil
	}
}

// start starts the shell. Without one, there is no guard.
func (g *guard) start() {
	r, w, err := os.Pipe()
	if err != nil {
		return
	}
	defer r.Close()
	shell := exec.Command("/bin/sh", "-c", guardScript)
	shell.Stdin, shell.Dir, shell.Env = r, "/", []string{}
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // signals to our group are not for it
	if err := shell.Start(); err != nil {
		_ = w.Close()
		return
	}
	g.orders, g.shell = w, shell
}
