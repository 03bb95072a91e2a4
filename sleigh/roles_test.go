package sleigh_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// playMaster is a master of its own: it opens the URL that its input begins with, tells the name of its sleigh, and waits
// for results that never come.
func playMaster() int {
	in := bufio.NewScanner(os.Stdin)
	in.Scan()
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, in.Text(), nil)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	launch := sleigh.Local(2)
	if config := os.Getenv(sshEnv); config != "" {
		launch = sleigh.SSH([]string{"one", "one"}, &sleigh.SSHOptions{Args: []string{"-F", config}})
	}
	s, err := sleigh.Start(ctx, rdb, &sleigh.Options{Launch: launch})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(s.Name())
	_, err = wait.EachElem(ctx, s, upTo(1000), nil)
	fmt.Println(err)
	return 0
}

// playNoMain is a program that forgets to call Main, so that each of its workers begins as it did itself. It notes each
// of its processes in the file that its environment names.
func playNoMain() int {
	notes, err := os.OpenFile(os.Getenv(notesEnv), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(notes, os.Getpid())
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer rdb.Close()
	s, err := sleigh.Start(ctx, rdb, &sleigh.Options{Launch: sleigh.Local(2)})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer func() { _ = s.Stop(ctx) }()
	_, err = square.EachElem(ctx, s, upTo(10), nil)
	fmt.Println(err)
	return 3
}

const notesEnv = "SLEIGH_TEST_NOTES"

// player is a test binary that plays a part.
type player struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func play(t *testing.T, role string, env ...string) *player {
	t.Helper()
	p := &player{t: t, cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(append(os.Environ(), roleEnv+"="+role), env...)
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
	return p
}

func (p *player) say(line string) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		p.t.Fatal(err)
	}
}

func (p *player) hear() string {
	p.t.Helper()
	if !p.out.Scan() {
		p.t.Fatal("the player ended without a word")
	}
	return p.out.Text()
}

// rest is all that the player says until it ends.
func (p *player) rest() string {
	var all strings.Builder
	for p.out.Scan() {
		fmt.Fprintln(&all, p.out.Text())
	}
	return all.String()
}
