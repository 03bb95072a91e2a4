package redistest

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// AppendOnly is configuration for Start: what the server has acknowledged is on disk, and there after Kill and Restart.
const AppendOnly = "appendonly yes\nappendfsync always"

const (
	logFile    = "redis.log"
	logLines   = 12 // of its end, that a failure shows
	startTries = 20 // ports that are tried before Start gives up

	adminTimeout = 10 * time.Second // for one reply; a server may be held up by clients or a failover
)

// Server is one redis-server process, which may be killed and started again.
type Server struct {
	t       testing.TB
	program string
	args    []string
	dir     string
	socket  string
	scheme  string
	port    int
	admin   *redis.Client

	mu     sync.Mutex
	proc   *process // nil before the first start; it may have ended
	paused bool
}

// layout is what sets one kind of server apart from others.
type layout struct {
	scheme string                  // of its URL
	args   []string                // of the program, after the configuration's file
	bus    bool                    // the port's number + 10000 has to be free too
	config func(port int) []string // its lines, before those of the caller
}

// dataConfig is that of all servers that hold data.
var dataConfig = []string{
	`save ""`,
	"appendonly no",
	"auto-aof-rewrite-percentage 0",
	"repl-diskless-sync-delay 0", // a replica is in use at once
	"repl-ping-replica-period 1",
}

// Start starts a server. Lines of config, such as "maxmemory 10mb", are added to its configuration, where a later line
// prevails. By default nothing is saved to disk.
func Start(t testing.TB, config ...string) *Server {
	t.Helper()
	return launch(t, layout{scheme: "redis", config: plainConfig}, config)
}

func plainConfig(port int) []string {
	return append([]string{fmt.Sprintf("port %d", port)}, dataConfig...)
}

// launch starts a server on a port that nobody else has.
func launch(t testing.TB, l layout, config []string) *Server {
	t.Helper()
	s := &Server{t: t, program: needRedis(t), scheme: l.scheme}
	folder := t.TempDir()
	s.socket = filepath.Join(socketDir(t), "redis.sock")
	s.admin = redis.NewClient(adminOptions(s.socket))
	t.Cleanup(s.end)

	for try := 1; ; try++ {
		s.port = reservePort(t, l.bus)
		s.dir = filepath.Join(folder, strconv.Itoa(s.port))
		s.args = append([]string{filepath.Join(s.dir, "redis.conf")}, l.args...)
		lines := append(l.config(s.port), s.ownConfig()...)
		if err := s.writeConfig(append(lines, config...)); err != nil {
			t.Fatal(err)
		}
		err := s.run()
		if err == nil {
			return s
		}
		// Another process may have taken the port since it was seen to be free.
		if !strings.Contains(s.log(), "Address already in use") || try == startTries {
			t.Fatalf("%v\n%s", err, s.log())
		}
	}
}

func (s *Server) ownConfig() []string {
	return []string{
		"bind 127.0.0.1",
		fmt.Sprintf("dir %q", s.dir),
		fmt.Sprintf("unixsocket %q", s.socket),
		"unixsocketperm 700",
		"daemonize no",
	}
}

func (s *Server) writeConfig(lines []string) error {
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(s.args[0], []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

// URL is the server's address in the form that redisx.Open takes.
func (s *Server) URL() string { return s.scheme + "://" + s.Addr() }

// Addr is the server's host and port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// SocketURL is the address of the server's Unix socket, which never speaks TLS.
func (s *Server) SocketURL() string { return (&url.URL{Scheme: "unix", Path: s.socket}).String() }

// Redis is a client for the test's own use. It goes by the Unix socket as the default user, without a password, and is
// closed at the end of the test.
func (s *Server) Redis() *redis.Client { return s.admin }

func adminOptions(socket string) *redis.Options {
	return &redis.Options{
		Network:                  "unix",
		Addr:                     socket,
		Protocol:                 2,
		DisableIdentity:          true,
		ReadTimeout:              adminTimeout,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// Pid is the id of the server's process, or 0 while there is none.
func (s *Server) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.proc.alive() {
		return 0
	}
	return s.proc.pid()
}

// Kill ends the server by SIGKILL, and waits until it is gone. Where none runs, it does nothing.
func (s *Server) Kill() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kill()
}

func (s *Server) kill() {
	s.t.Helper()
	s.paused = false
	if err := s.proc.kill(); err != nil {
		s.t.Fatalf("redistest: killing %s: %v", s.Addr(), err)
	}
}

// Restart starts the server again, with the same port, folder and configuration; if it still runs, it is killed first.
// It returns when the server has loaded its data and answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kill()
	if err := s.run(); err != nil {
		s.t.Fatalf("%v\n%s", err, s.log())
	}
}

// Pause stops the server's process by SIGSTOP: its connections stay, and nothing is answered until Resume. That comes
// at the end of the test at the latest, so that clients need not wait when they are closed.
func (s *Server) Pause() {
	s.t.Helper()
	s.t.Cleanup(func() {
		if s.isPaused() {
			s.Resume()
		}
	})
	s.signal("pausing", pauseProcess, true)
}

// Resume lets a paused server go on.
func (s *Server) Resume() {
	s.t.Helper()
	s.signal("resuming", resumeProcess, false)
}

func (s *Server) signal(what string, send func(pid int) error, paused bool) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.proc.alive() {
		s.t.Fatalf("redistest: %s %s: it does not run", what, s.Addr())
	}
	if err := send(s.proc.pid()); err != nil {
		s.t.Fatalf("redistest: %s %s: %v", what, s.Addr(), err)
	}
	s.paused = paused
}

// answers tells whether the server runs and is not paused.
func (s *Server) answers() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc.alive() && !s.paused
}

func (s *Server) isPaused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc.alive() && s.paused
}

// run starts the process and waits until it is ready.
func (s *Server) run() error {
	out, err := os.OpenFile(filepath.Join(s.dir, logFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	if s.proc, err = startProcess(s.program, s.args, s.dir, out); err != nil {
		return fmt.Errorf("redistest: starting redis-server: %w", err)
	}
	if err := waitReady(s.socket, s.proc.ended); err != nil {
		_ = s.proc.kill()
		return fmt.Errorf("redistest: redis-server on %s %w", s.Addr(), err)
	}
	return nil
}

// end comes with the test's.
func (s *Server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.admin.Close()
	if s.proc.crashed() {
		s.t.Logf("redis-server on %s has ended by itself:\n%s", s.Addr(), s.log())
	}
	if err := s.proc.kill(); err != nil {
		s.t.Errorf("redistest: killing %s: %v", s.Addr(), err)
	}
}

// log is the end of what the server has written.
func (s *Server) log() string {
	text, err := os.ReadFile(filepath.Join(s.dir, logFile))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-logLines):], "\n")
}
