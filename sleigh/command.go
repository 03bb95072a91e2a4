package sleigh

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Command has one worker for each of the hosts, of which one may be named several times, by a command that starts it there:
// for batch queues, containers and whatever else starts programs. line gives the command and its arguments for a host; what
// a host is, only line knows. Several goroutines call it, each time that a command is to run.
//
// The command is to start a copy of this program, as somebody would by hand for Manual. All that one needs is in its
// environment, to be handed on: REDIS_URL with its password, NETSPACES_TEAM, NETSPACES_SLOTS, and NETSPACES_LAUNCH, by which
// the master knows the worker for the command's. Most queues hand on their environment; docker does so for variables
// that are named, as in
//
//	func(host string) []string {
//		return []string{"docker", "-H", "ssh://" + host, "run", "--rm", "--network=host", "-e", "REDIS_URL",
//			"-e", "NETSPACES_TEAM", "-e", "NETSPACES_SLOTS", "-e", "NETSPACES_LAUNCH", "my-program"}
//	}
//
// A command that ends with exit code 0 has done its part: it has submitted the worker to a queue, or the worker has left. One
// with another exit code has failed: Options.Logger, Options.Output and Status tell the host and what the command
// printed, and it runs again after pauses of half a second to 30 s. If all have failed, three times each, and no worker is
// there, calls of the sleigh return a LaunchError. One that goes on when the sleigh has stopped and its worker had time to
// leave gets SIGTERM, and five seconds later SIGKILL. Where the team lasts (see Join) its worker would not leave by itself, and
// it gets a SIGTERM at once, too. A worker that was submitted to a queue stays there.
//
// Start returns an error if no other program can reach its Redis, or line gives no command for a host.
func Command(hosts []string, line func(host string) []string) Launcher {
	return &commandLauncher{hosts: slices.Clone(hosts), line: line}
}

// commandLauncher is the Launcher.
type commandLauncher struct {
	hosts []string
	line  func(host string) []string
}

func (l *commandLauncher) size() int { return len(l.hosts) }

func (l *commandLauncher) launch(s *Sleigh) (team, error) {
	if err := s.needSharedRedis("Command"); err != nil {
		return nil, err
	}
	for _, host := range l.hosts {
		if line := l.line(host); len(line) == 0 || line[0] == "" {
			return nil, fmt.Errorf("sleigh: there is no command for host %q", host)
		}
	}
	s.launches = newLaunches(s, l.hosts)
	c := &commands{s: s, line: l.line}
	c.ctx, c.kill = context.WithCancel(context.Background())
	c.asking, c.ask = context.WithCancel(context.Background())
	for i, host := range l.hosts {
		c.running.Go(func() {
			if err := c.keep(i, host); err != nil {
				c.s.fail(fmt.Errorf("sleigh: %w", err))
			}
		})
	}
	return c, nil
}

// commands is the team that Command launches. Each of its workers has a keeper of its own, on its host.
type commands struct {
	s       *Sleigh
	line    func(host string) []string
	asking  context.Context // ends when those that run are to end, and their workers had time to leave
	ask     context.CancelFunc
	ctx     context.Context // ends to kill them
	kill    context.CancelFunc
	running sync.WaitGroup
}

// end waits for commands whose workers leave, then asks the others to end, then kills them.
func (c *commands) end(ctx context.Context) {
	defer c.ask()
	defer c.kill()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.running.Wait()
	}()
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	c.ask()
	select {
	case <-ended:
		return
	case <-time.After(killAfter):
	}
	c.kill()
	<-ended
}

// keep runs the command for a host until it has done its part or the sleigh is over.
func (c *commands) keep(i int, host string) error {
	out := c.s.output.stderrHere(-1, host)
	defer out.close()
	pause, longest := c.s.launches.pauses()
	for failures := 0; ; {
		id := rand.Text()
		c.s.launches.begins(i, id)
		printed := &tail{to: out}
		err := c.run(host, id, printed)
		out.ended()
		switch {
		case isDone(c.s.ctx):
			return nil
		case err == nil:
			c.s.launches.worked(i)
			return nil
		case c.hasJoined(id):
			failures, pause = 0, firstRelaunch
			c.s.launches.worked(i)
		}
		failures++
		if err := c.s.launches.failed(i, failures, -1, err.Error(), printed.String()); err != nil {
			return err
		}
		select {
		case <-time.After(pause):
			pause = min(2*pause, longest)
		case <-c.s.ctx.Done():
			return nil
		}
	}
}

// run runs the command once.
func (c *commands) run(host, id string, printed *tail) error {
	line := c.line(host)
	if len(line) == 0 {
		return errors.New("there is no command for it")
	}
	cmd := exec.CommandContext(c.ctx, line[0], line[1:]...) //nolint:gosec // It is the user's own.
	cmd.Env = append(os.Environ(), "REDIS_URL="+c.s.rdb.URL(), teamEnv+"="+c.s.Name(), slotsEnv+"="+strconv.Itoa(c.s.slots), launchEnv+"="+id)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = printed, printed, outputFor
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	ask := func() { terminate(cmd) }
	if c.s.lasts { // nothing in Redis tells its worker that it has to leave
		defer context.AfterFunc(c.s.ctx, ask)()
	}
	defer context.AfterFunc(c.asking, ask)()
	return cmd.Wait()
}

// hasJoined reports whether the worker of a launch is in the team.
func (c *commands) hasJoined(id string) bool {
	st, err := statusOf(c.s.ctx, c.s.own)
	e := entry{id: id}
	return err == nil && e.isAmong(st.Workers)
}
