//go:build unix

package programtest

import (
	"regexp"
	"syscall"
	"testing"
)

// KillWorker has the program print what is wanted although one of its workers is killed when the terminal shows under way,
// and other states of that after the kill.
func KillWorker(t *testing.T, want string, underWay *regexp.Regexp, args ...string) {
	t.Helper()
	r := Start(t, args...)
	pids := r.UnderWay(underWay.MatchString)
	if err := syscall.Kill(pids[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	killed := len(r.Stderr.Text())
	r.Prints(want)
	if more := r.Stderr.Text()[killed:]; len(underWay.FindAllString(more, -1)) < 2 {
		t.Errorf("the worker was killed too late: %q", more)
	}
	AwaitEnd(t, pids)
}
