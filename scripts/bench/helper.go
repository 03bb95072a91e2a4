package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// helpers are what processes of this program do whose first argument is such a name. They call ready when they can begin, and
// are ended with their standard input.
var helpers = map[string]func(args []string, ready func(text string)) error{
	"unsafe-worker": unsafeWorker,
	"blpop-worker":  blpopWorker,
	"asynq-worker":  asynqWorker,
	"memory-master": memoryMaster,
	redisNodeName:   redisNode,
}

// helpMain is the main of a helper process, which ends in it. In any other process it does nothing.
func helpMain(name string, args []string) {
	help := helpers[name]
	if help == nil {
		return
	}
	if name != redisNodeName { // which has a server to end before
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
	}
	err := help(args, func(text string) { fmt.Println(text) })
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench %s: %v\n", name, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// crew is helper processes that do the same.
type crew []*helper

// helper is one of them.
type helper struct {
	cmd   *exec.Cmd
	stdin io.Closer
	said  string // when it was ready
}

// startCrew starts n helpers, and returns when all are ready.
func startCrew(n int, name string, args ...string) (crew, error) {
	var c crew
	for range n {
		h, err := startHelper(name, args...)
		if err != nil {
			c.end()
			return nil, err
		}
		c = append(c, h)
	}
	return c, nil
}

func startHelper(name string, args ...string) (*helper, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	h := &helper{cmd: exec.Command(program, append([]string{name}, args...)...)}
	h.cmd.Stderr = os.Stderr
	if h.stdin, err = h.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := h.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() {
		h.end()
		return nil, errors.Join(fmt.Errorf("%s has ended before it was ready", name), lines.Err())
	}
	h.said = lines.Text()
	return h, nil
}

func (h *helper) end() {
	_ = h.stdin.Close()
	_ = h.cmd.Wait()
}

func (c crew) end() {
	for _, h := range c {
		h.end()
	}
}
