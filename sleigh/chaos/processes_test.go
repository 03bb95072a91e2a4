package chaos

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// process is one that runs on this machine, as /proc shows it.
type process struct {
	pid, parent, group int
	line               string // its arguments
	marked             bool   // it is of this test
}

// processes lists those that run; one that has ended and was not waited for is none.
func processes(mark string) []process {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
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
		var p process
		folder := filepath.Dir(file)
		p.pid, _ = strconv.Atoi(filepath.Base(folder))
		p.parent, _ = strconv.Atoi(fields[1])
		p.group, _ = strconv.Atoi(fields[2])
		args, _ := os.ReadFile(filepath.Join(folder, "cmdline"))
		p.line = strings.TrimSpace(strings.ReplaceAll(string(args), "\x00", " "))
		env, _ := os.ReadFile(filepath.Join(folder, "environ"))
		p.marked = bytes.Contains(append([]byte{0}, env...), []byte("\x00"+markEnv+"="+mark+"\x00"))
		all = append(all, p)
	}
	return all
}

// childrenOf lists the workers that a master has launched, those of a lower rank first.
func childrenOf(parent int, mark string) []process {
	all := slices.DeleteFunc(processes(mark), func(p process) bool { return !p.marked || p.parent != parent })
	slices.SortFunc(all, func(a, b process) int { return strings.Compare(a.line, b.line) })
	return all
}

func (p process) String() string {
	return fmt.Sprintf("%d (group %d, of %d): %s", p.pid, p.group, p.parent, p.line)
}
