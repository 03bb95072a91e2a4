package sleigh

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// SSH has one worker for each of the hosts, of which one may be named several times. It runs the system's ssh, so that hosts
// are named and reached as that one's configuration, agent and jump hosts say, and no password or passphrase is asked for.
// Each host needs a shell, and nothing else: this program, whose main must call Main first, is sent there. Its file stays in
// ~/.cache/netspaces under its SHA-256, which is checked before each worker begins, and is not sent again; files that were
// not used for a month are removed. What workers are to know, the address of Redis with its password above all, goes through
// the connection and is on no command line.
//
// Workers end with this process, and some 15 s after the connection to it is lost. A worker that ends is replaced. Where it
// cannot be launched, others are not held up: Options.Logger, Options.Output and Status tell the host and what ssh says, and
// it is tried again after pauses of half a second to 30 s. If none can be launched on any host, three times each, calls of
// the sleigh return a LaunchError. EachWorker waits for those that are still to come, EachElem does not. Start returns an
// error if there is no ssh on the PATH, or a host's name is none.
//
// Nil options are the defaults.
func SSH(hosts []string, opts *SSHOptions) Launcher {
	l := &sshLauncher{hosts: slices.Clone(hosts)}
	if opts != nil {
		l.o = *opts
		l.o.Args = slices.Clone(opts.Args)
	}
	return l
}

// SSHOptions are those of SSH.
type SSHOptions struct {
	// Program is the program's path on the hosts, where it is there already: absolute, beginning with ~/, or on the PATH
	// that ssh finds. It may be for another system or processor. Defaults to none: this program is sent.
	Program string
	// Args are more arguments for ssh, which go before its own: such as "-F", "file", or "-o", "Port=2222". Others see them.
	// Defaults to none.
	Args []string
	// Tunnel has the workers reach Redis through their connections from this host, by a port of their own on the loopback of
	// theirs. All users there can connect to it, so that Redis should want a password. Defaults to false; but where Redis is on
	// this host's loopback, a unix socket, or a server that redisx.Open has started, there is always a tunnel. A
	// connection with one is never shared (ControlPath), others may be. There is none for clusters and Sentinels, whose
	// servers name their own addresses.
	Tunnel bool
}

const (
	sshBeat      = 5 * time.Second // between signs of life, in both directions
	sshConnect   = 10 * time.Second
	sshDoor      = 4 // connections that are made to a host at a time; sshd refuses some where they are more than ten
	noProgram    = 204
	sshFailed    = 255
	shellSignals = 128 // and the signal's number is the exit code of what one ended
)

// workerScript runs the program $1 as the worker of rank $2 of the sleigh $3, if its SHA-256 is $4, or none is given. It stays
// beside it, since ssh does not tell by which signal its command has ended. It has no newline, no single quote and no
// exclamation mark: whichever shell reads it first may take these for something.
const workerScript = `p=$1; case $p in "~/"*) p=$HOME/${p#"~/"};; esac; ` + sumFunction +
	`command -v "$p" >/dev/null || { echo "netspaces: there is no program $p" >&2; exit 204; }; ` +
	`[ -z "$4" ] || [ "$(sum "$p")" = "$4" ] || { echo "netspaces: $p is another program" >&2; exit 204; }; ` +
	`echo "netspaces: begun"; NETSPACES_WORKER=1 "$p" worker "$2" of "$3"; exit $?`

// sshLauncher is the Launcher.
type sshLauncher struct {
	hosts []string
	o     SSHOptions
}

func (l *sshLauncher) size() int { return len(l.hosts) }

func (l *sshLauncher) launch(s *Sleigh) (team, error) {
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		return nil, fmt.Errorf("sleigh: cannot launch workers: %w", err)
	}
	redis, err := newRoute(s.rdb.URL(), l.o.Tunnel)
	if err != nil {
		return nil, err
	}
	sum, err := programSum()
	if err != nil {
		return nil, err
	}
	for _, host := range l.hosts {
		if host == "" || strings.HasPrefix(host, "-") {
			return nil, fmt.Errorf("sleigh: %q is no host", host)
		}
	}
	s.launches = newLaunches(s, l.hosts)
	c := newCrew(s)
	known := map[string]*sshHost{}
	for _, name := range l.hosts {
		known[name] = &sshHost{name: name, ssh: ssh, o: &l.o, redis: redis, sum: sum, crew: c, door: make(chan struct{}, sshDoor)}
	}
	return c, c.launch(len(l.hosts), func(i, rank int) (run runWorker, end func()) {
		host := known[l.hosts[i]]
		out := s.output.stderrHere(rank, host.name)
		p := &processes{place: host, output: out, ended: out.ended, stays: s.lasts, kill: c.killed}
		return p.run, out.close
	})
}

// sshHost is a host on which worker processes are started.
type sshHost struct {
	name  string
	ssh   string // its path
	o     *SSHOptions
	redis *route
	sum   string // of this program
	crew  *crew
	door  chan struct{} // connections that are being made have a value here

	mu      sync.Mutex
	sending *sending // the last one; nil before the first, and when the program is to be sent again
}

// prepare has the program sent before the first worker is started.
func (h *sshHost) prepare(ctx, leave context.Context, m member, printed *tail) (*child, error) {
	program, sum := h.o.Program, ""
	if program == "" {
		if err := h.send(leave, printed); err != nil {
			return nil, err
		}
		program, sum = remoteProgram(h.sum), h.sum
	}
	leaveDoor, err := h.enter(leave)
	if err != nil {
		return nil, err
	}
	link := h.redis.through()
	cmd := h.command(ctx, link.args, workerScript, program, strconv.Itoa(m.Rank), m.Sleigh, sum)
	stdout := &sieve{to: printed, take: func(line string) (taken, last bool) {
		if line != "netspaces: begun" {
			return false, false
		}
		leaveDoor()
		return true, true
	}}
	stderr := &sieve{to: printed, take: link.hear}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return &child{
		cmd: cmd, redis: link.url, beat: sshBeat,
		ended: func(code int) string {
			leaveDoor()
			stdout.end()
			stderr.end()
			if code == noProgram {
				h.forget()
			}
			return explain(code)
		},
	}, nil
}

// enter waits until there are few enough connections that are being made.
func (h *sshHost) enter(ctx context.Context) (leave func(), err error) {
	select {
	case h.door <- struct{}{}:
		return sync.OnceFunc(func() { <-h.door }), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// command runs a script on the host.
func (h *sshHost) command(ctx context.Context, first []string, script string, args ...string) *exec.Cmd {
	words := []string{"exec /bin/sh -c", quoted(script), "netspaces"}
	for _, arg := range args {
		words = append(words, quoted(arg))
	}
	// What the user gives comes before, as ssh takes the first of what contradicts.
	all := slices.Concat(first, h.o.Args, []string{
		"-T", "-x", "-o", "BatchMode=yes", "-o", "ControlMaster=no", "-o", "RemoteCommand=none",
		"-o", fmt.Sprintf("ConnectTimeout=%.0f", sshConnect.Seconds()),
		"-o", fmt.Sprintf("ServerAliveInterval=%.0f", sshBeat.Seconds()), "-o", "ServerAliveCountMax=" + strconv.Itoa(beatsMissed),
		"--", h.name, strings.Join(words, " "),
	})
	return exec.CommandContext(ctx, h.ssh, all...) //nolint:gosec // It is the user's own ssh, and what it runs is quoted.
}

// quoted is a text as a word of a shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// explain says what the exit code of a worker's ssh means, where the worker itself has not said it.
func explain(code int) string {
	switch {
	case code == noProgram:
		return "the program is not there"
	case code == exitCodes[replaced]:
		return "it could not join, or another one is to take its place"
	case code == exitCodes[refused]:
		return errRefused.Error()
	case code == sshFailed:
		return "ssh failed, or lost the connection"
	case code > shellSignals && code < exitCodes[left]:
		return "signal: " + syscall.Signal(code-shellSignals).String()
	}
	return ""
}
