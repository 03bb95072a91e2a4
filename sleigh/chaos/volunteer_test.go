package chaos

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// volunteer is a place for a worker that is started by hand. There are more of them than the team has ranks.
type volunteer struct {
	t      *testing.T
	number int
	team   string
	url    string
	mark   string
	errs   string // file of what it has to say

	cmd   *exec.Cmd // nil before the first start
	stdin io.Closer
	gone  chan struct{}
}

func (v *volunteer) runs() bool {
	if v.cmd == nil {
		return false
	}
	select {
	case <-v.gone:
		return false
	default:
		return true
	}
}

// start starts it, where it does not run. It ends with the test at the latest.
func (v *volunteer) start() {
	if v.runs() {
		return
	}
	v.cmd = exec.Command(os.Args[0], "volunteer", strconv.Itoa(v.number), "of", v.team)
	v.cmd.Env = append(os.Environ(), roleEnv+"=volunteer", markEnv+"="+v.mark, "REDIS_URL="+v.url, "NETSPACES_TEAM="+v.team)
	stderr, err := os.OpenFile(v.errs, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		v.t.Fatal(err)
	}
	defer stderr.Close()
	v.cmd.Stderr = stderr
	if v.stdin, err = v.cmd.StdinPipe(); err != nil {
		v.t.Fatal(err)
	}
	if err := v.cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	cmd, gone := v.cmd, make(chan struct{})
	v.gone = gone
	go func() {
		defer close(gone)
		_ = cmd.Wait() // it is killed often enough
	}()
	v.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-gone
	})
}

func logOf(folder, name string) string { return filepath.Join(folder, name+".log") }
