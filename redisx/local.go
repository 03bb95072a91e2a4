package redisx

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

const (
	localStart   = 10 * time.Second // that a redis-server may take until it listens
	localBackoff = time.Millisecond
	localPause   = 100 * time.Millisecond // at most, between two tries to connect
	maxSocket    = 103                    // bytes of a socket's path on macOS; Linux allows 107
)

// localEnd is how long the guard may take until all is gone.
var localEnd = 10 * time.Second

const installHint = "Install it (apt install redis-server, or brew install redis), or leave the address empty for an embedded one."

// guardScript runs a redis-server, $1, in a new folder, $2, until its standard input ends or the server does. It then
// removes both. The input is a pipe that nobody else holds: it ends with the process that opened the server, whatever
// way that goes. The server is killed, since it has nothing to save.
const guardScript = `
exec 3<&0
trap '' HUP INT PIPE TERM
umask 077
mkdir "$2" && cd "$2" || exit
"$1" - >log 2>&1 3<&- <<'END' &
port 0
unixsocket redis.sock
unixsocketperm 700
save ""
appendonly no
daemonize no
END
server=$!
{ read -r _; kill -9 "$server"; } <&3 >/dev/null 2>&1 &
reader=$!
wait "$server" 2>/dev/null
kill -9 "$reader" 2>/dev/null
last=$(tail -n 12 log)
cd / && rm -rf -- "$2"
printf '%s\n' "$last" >&2
`

// localServer is a private redis-server on a socket in a folder that only this user can enter.
type localServer struct {
	dir      string
	guard    *exec.Cmd
	lifeline io.Closer
	says     bytes.Buffer  // the end of the server's log, to be read once ended is closed
	ended    chan struct{} // closed when the guard is gone
}

func openLocal(ctx context.Context, o Options) (*Client, error) {
	if !localSupported {
		return nil, fmt.Errorf("redisx: local:// is %w on %s; leave the address empty for an embedded Redis",
			errors.ErrUnsupported, runtime.GOOS)
	}
	s, err := startLocal()
	if err != nil {
		return nil, err
	}
	stop := sync.OnceValue(s.stop)
	if err := s.ready(ctx); err != nil {
		stopErr := stop()
		return nil, errors.Join(fmt.Errorf("%w\nredis-server says:\n%s", err, s.log()), stopErr)
	}
	address := url.URL{Scheme: "unix", Path: s.socket()}
	return openStarted(ctx, "local", address.String(), stop, o)
}

func startLocal() (*localServer, error) {
	program, err := exec.LookPath("redis-server")
	if err == nil {
		program, err = filepath.Abs(program)
	}
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", ErrNoRedisServer, installHint)
	}
	s := &localServer{ended: make(chan struct{})}
	if s.dir, err = localDir(); err != nil {
		return nil, err
	}
	s.guard = exec.Command("/bin/sh", "-c", guardScript, "netspaces-guard", program, s.dir)
	s.guard.Stderr = &s.says
	s.guard.WaitDelay = time.Second
	detach(s.guard)
	if s.lifeline, err = s.guard.StdinPipe(); err != nil {
		return nil, fmt.Errorf("redisx: starting redis-server: %w", err)
	}
	if err := s.guard.Start(); err != nil {
		return nil, fmt.Errorf("redisx: starting redis-server: %w", err)
	}
	go func() {
		_ = s.guard.Wait() // what it says tells more than its exit code
		close(s.ended)
	}()
	return s, nil
}

// localDir names a folder that does not exist yet. The guard makes it, so that no moment is left in which it is there
// and nobody would remove it.
func localDir() (string, error) {
	root, err := filepath.Abs(os.TempDir())
	if err != nil {
		return "", fmt.Errorf("redisx: no folder for a redis-server: %w", err)
	}
	name := "netspaces-" + rand.Text()[:12]
	if len(filepath.Join(root, name, "redis.sock")) > maxSocket {
		root = "/tmp"
	}
	return filepath.Join(root, name), nil
}

func (s *localServer) socket() string { return filepath.Join(s.dir, "redis.sock") }

// ready waits until the server takes connections.
func (s *localServer) ready(ctx context.Context) error {
	late := time.NewTimer(localStart)
	defer late.Stop()
	for backoff := localBackoff; ; backoff = min(2*backoff, localPause) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", s.socket())
		if err == nil {
			return conn.Close()
		}
		select {
		case <-time.After(backoff):
		case <-s.ended:
			return fmt.Errorf("%w at local: redis-server did not start", ErrNoServer)
		case <-late.C:
			return fmt.Errorf("%w at local: redis-server does not listen after %v", ErrNoServer, localStart)
		case <-ctx.Done():
			return fmt.Errorf("redisx: starting redis-server: %w", ctx.Err())
		}
	}
}

// log is the end of the server's log once the server has ended.
func (s *localServer) log() string {
	text := strings.TrimSpace(s.says.String())
	if text == "" {
		return "(nothing)"
	}
	return text
}

// stop ends the server, and returns when it and its folder are gone.
func (s *localServer) stop() error {
	_ = s.lifeline.Close()
	select {
	case <-s.ended:
	case <-time.After(localEnd):
		killGroup(s.guard)
		<-s.ended
	}
	if err := os.RemoveAll(s.dir); err != nil { // in case somebody has killed the guard
		return fmt.Errorf("redisx: removing the folder of redis-server: %w", err)
	}
	return nil
}
