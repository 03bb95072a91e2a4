package sleigh_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx/redistest"
)

// sshEnv has a master that is another process launch its workers by ssh, with this configuration.
const sshEnv = "SLEIGH_TEST_SSH"

// needTool finds a program. Where it is missing, or needs rights that are missing, the test is skipped, which CI must not do.
func needTool(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, "no "+names[0])
	return ""
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// site is some hosts that are reached by ssh: sshd servers with keys of their own, and a configuration of ssh that knows them.
type site struct {
	t      *testing.T
	dir    string
	config string // file, for ssh -F
	sshd   string
	hosts  map[string]*sshServer
}

// sshServer is one of them.
type sshServer struct {
	home string // the HOME of who comes there
	cmd  *exec.Cmd
	log  lockedBuffer
}

// newSite makes keys: of the hosts, of the user, and one that nobody knows.
func newSite(t *testing.T) *site {
	t.Helper()
	keygen := needTool(t, "ssh-keygen")
	needTool(t, "ssh")
	s := &site{t: t, dir: t.TempDir(), sshd: needTool(t, "sshd", "/usr/sbin/sshd"), hosts: map[string]*sshServer{}}
	_ = os.MkdirAll("/run/sshd", 0o755) // where root's sshd is confined to, if no service has made it
	for _, name := range []string{"host", "user", "unknown"} {
		if text, err := exec.Command(keygen, "-q", "-t", "ed25519", "-N", "", "-f", s.file(name)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v: %s", err, text)
		}
	}
	pub, err := os.ReadFile(s.file("host.pub"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("known", "site "+string(pub))
	s.config = s.file("config")
	s.write("config", fmt.Sprintf(`Host *
	UserKnownHostsFile %s
	GlobalKnownHostsFile /dev/null
	HostKeyAlias site
	IdentitiesOnly yes
	IdentityAgent none
	StrictHostKeyChecking yes
Host *-unknown
	IdentityFile %s
Host * !*-unknown
	IdentityFile %s
`, s.file("known"), s.file("unknown"), s.file("user")))
	return s
}

func (s *site) file(name string) string { return filepath.Join(s.dir, name) }

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(s.file(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// know has ssh know a host by a name.
func (s *site) know(name, address string, port int) {
	s.t.Helper()
	text, err := os.ReadFile(s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write("config", fmt.Sprintf("Host %s\n\tHostName %s\n\tPort %d\n%s", name, address, port, text))
}

// serve runs an sshd, as in prefix, on an address. More lines may follow in its configuration.
func (s *site) serve(name, address string, port int, prefix []string, environment string, more ...string) *sshServer {
	s.t.Helper()
	server := &sshServer{home: s.file(name + "-home")}
	if err := os.Mkdir(server.home, 0o700); err != nil {
		s.t.Fatal(err)
	}
	races := os.Getenv("GORACE")
	s.write(name, fmt.Sprintf(`ListenAddress %s
Port %d
HostKey %s
AuthorizedKeysFile %s
PidFile none
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PermitRootLogin prohibit-password
SetEnv HOME=%s "GORACE=%s" %s
%s
`, address, port, s.file("host"), s.file("user.pub"), server.home, races, environment, strings.Join(more, "\n")))
	line := append(prefix, s.sshd, "-D", "-e", "-f", s.file(name))
	server.cmd = exec.Command(line[0], line[1:]...)
	server.cmd.Stderr = &server.log
	server.cmd.WaitDelay = time.Second // of a session that goes on
	if err := server.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		left := descendants(s.t, server.cmd.Process.Pid) // sessions that go on, after a test that has failed
		_ = server.cmd.Process.Kill()
		_ = server.cmd.Wait()
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if s.t.Failed() {
			s.t.Logf("sshd of %s: %s", name, server.log.String())
		}
	})
	eventually(s.t, "sshd listens", func() bool { return strings.Contains(server.log.String(), "Server listening") })
	s.hosts[name] = server
	s.know(name, address, port)
	return server
}

// descendants are the processes below one.
func descendants(t *testing.T, pid int) []int {
	t.Helper()
	var all []int
	for _, p := range processes(t) {
		if p.parent == pid {
			all = append(append(all, p.pid), descendants(t, p.pid)...)
		}
	}
	return all
}

// serveHere runs an sshd on the loopback.
func (s *site) serveHere(name, environment string, more ...string) *sshServer {
	s.t.Helper()
	return s.serve(name, "127.0.0.1", redistest.FreePort(s.t), nil, environment, more...)
}

// programs are the files in the cache of a host.
func (h *sshServer) programs(t *testing.T) []os.FileInfo {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(h.home, ".cache", "netspaces"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var all []os.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, info)
	}
	return all
}

// commandLines are those of all processes here, as others see them.
func commandLines(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(files) == 0 {
		missing(t, "no /proc here to find command lines in")
	}
	var all []string
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil {
			all = append(all, string(bytes.ReplaceAll(text, []byte{0}, []byte(" "))))
		}
	}
	return all
}

// silence is a port that takes connections and says nothing.
type silence struct {
	port   int
	called chan struct{} // has a value for each connection
}

func listenSilently(t *testing.T) (*silence, error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &silence{port: l.Addr().(*net.TCPAddr).Port, called: make(chan struct{}, 100)}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			s.called <- struct{}{}
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		serving.Wait()
	})
	return s, nil
}
