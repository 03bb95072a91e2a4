package sleigh_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// process is one that runs on this machine, as /proc shows it.
type process struct {
	pid, parent, group int
	args               []string
}

// processes lists those that run; one that has ended and was not waited for is none.
func processes(t *testing.T) []process {
	t.Helper()
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	if runtime.GOOS != "linux" {
		t.Skip("no /proc here to find processes in")
	}
	var all []process
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// The name, in parentheses, may hold anything.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if fields[0] == "Z" || fields[0] == "X" {
			continue
		}
		p := process{}
		p.pid, _ = strconv.Atoi(filepath.Base(filepath.Dir(file)))
		p.parent, _ = strconv.Atoi(fields[1])
		p.group, _ = strconv.Atoi(fields[2])
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid))
		p.args = strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
		all = append(all, p)
	}
	return all
}

// workersOf lists the worker processes of a sleigh, whoever launched them: their arguments name it.
func workersOf(t *testing.T, sleigh string) []process {
	t.Helper()
	return slices.DeleteFunc(processes(t), func(p process) bool { return !slices.Contains(p.args, sleigh) })
}

// alive reports whether a process runs.
func alive(t *testing.T, pid int) bool {
	t.Helper()
	return slices.ContainsFunc(processes(t), func(p process) bool { return p.pid == pid })
}
