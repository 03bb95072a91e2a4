package redisx

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// roleEnv makes the test binary play a part instead of running tests.
const roleEnv = "REDISX_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		os.Exit(play(role))
	}
	goleak.VerifyTestMain(m)
}

// play opens the URL that its input begins with and says so. It then answers each further line with a PING, and at the
// end of its input it goes without closing anything.
func play(role string) int {
	if role == "deaf" {
		signal.Ignore(os.Interrupt)
	}
	in := bufio.NewScanner(os.Stdin)
	in.Scan()
	rdb, err := Open(context.Background(), in.Text(), nil)
	if err != nil {
		fmt.Println("error", strings.ReplaceAll(err.Error(), "\n", " | "))
		return 1
	}
	fmt.Println(rdb.String(), rdb.URL())
	for in.Scan() {
		if err := rdb.Redis().Ping(context.Background()).Err(); err != nil {
			fmt.Println("error", err)
			return 1
		}
		fmt.Println("pong")
	}
	return 0
}

// child is a test binary that plays a part.
type child struct {
	t      *testing.T
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
	stderr bytes.Buffer
}

var childAttr *syscall.SysProcAttr

// spawn starts a child that opens url. The URL goes through a pipe, as one with a password should.
func spawn(t *testing.T, role, url string, env ...string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(os.Args[0], append([]string{role}, env...)...)}
	c.cmd.SysProcAttr = childAttr
	c.cmd.Env = append(append(os.Environ(), roleEnv+"="+role, "GORACE=atexit_sleep_ms=10"), env...)
	c.cmd.Stderr = &c.stderr
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewScanner(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.end)
	c.say(url)
	return c
}

func (c *child) say(line string) {
	c.t.Helper()
	if _, err := fmt.Fprintln(c.in, line); err != nil {
		c.t.Fatal(err)
	}
}

func (c *child) hear() string {
	c.t.Helper()
	if !c.out.Scan() {
		c.end()
		c.t.Fatalf("the child ended without a word; on stderr: %s", c.stderr.String())
	}
	return c.out.Text()
}

// end lets the child go, and waits for it.
func (c *child) end() {
	_ = c.in.Close()
	_ = c.cmd.Wait()
}

// eventually waits until ok, which is about other processes that cannot tell us.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for pause := time.Millisecond; !ok(); pause = min(2*pause, 100*time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in 20 s: %s", what)
		}
		time.Sleep(pause)
	}
}

// mustOpen opens url until the end of the test.
func mustOpen(t *testing.T, url string) *Client {
	t.Helper()
	rdb, err := Open(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rdb.Close(); err != nil {
			t.Error(err)
		}
	})
	return rdb
}

// commandLineHas says whether a process shows the text in its arguments.
func commandLineHas(t *testing.T, text string) bool {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(files) == 0 {
		t.Skip("no /proc here to look into")
	}
	for _, file := range files {
		if line, err := os.ReadFile(file); err == nil && strings.Contains(string(line), text) {
			return true
		}
	}
	return false
}
