package redistest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// dial gives a client that does not try again.
func dial(t *testing.T, url string) *redis.Client {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled = -1, 1, true
	rdb := redis.NewClient(o)
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantValue(t *testing.T, rdb redis.Cmdable, key, want string) {
	t.Helper()
	if got, err := rdb.Get(t.Context(), key).Result(); err != nil || got != want {
		t.Fatalf("%s = %q, %v; want %q", key, got, err, want)
	}
}

func TestServerAnswersAtAllItsAddresses(t *testing.T) {
	s := Start(t, "maxmemory 123mb")
	must(t, dial(t, s.URL()).Set(t.Context(), "k", "v", 0).Err())
	wantValue(t, dial(t, s.SocketURL()), "k", "v")
	wantValue(t, dial(t, "redis://"+s.Addr()), "k", "v")
	wantValue(t, s.Redis(), "k", "v")
	if got := s.Redis().ConfigGet(t.Context(), "maxmemory").Val()["maxmemory"]; got != "128974848" {
		t.Errorf("maxmemory = %s, want that of the caller's configuration", got)
	}
}

func TestServersAreApart(t *testing.T) {
	a, b := Start(t), Start(t)
	must(t, a.Redis().Set(t.Context(), "k", "v", 0).Err())
	if n := b.Redis().Exists(t.Context(), "k").Val(); n != 0 || a.Addr() == b.Addr() || a.Pid() == b.Pid() {
		t.Errorf("%s (%d) and %s (%d) share keys, a port or a process", a.Addr(), a.Pid(), b.Addr(), b.Pid())
	}
}

func TestAppendOnlyKeepsWhatWasAcknowledged(t *testing.T) {
	for _, tc := range []struct {
		name   string
		config []string
		kept   int64
	}{
		{"append only", []string{AppendOnly}, 1},
		{"default", nil, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := Start(t, tc.config...)
			rdb, addr, pid := dial(t, s.URL()), s.Addr(), s.Pid()
			must(t, rdb.Set(t.Context(), "k", "v", 0).Err())
			s.Kill()
			if s.Pid() != 0 {
				t.Errorf("a killed server has pid %d", s.Pid())
			}
			if conn, err := net.Dial("tcp", addr); err == nil {
				_ = conn.Close()
				t.Error("a killed server takes connections")
			}
			s.Restart()
			if s.Addr() != addr || s.Pid() == pid || s.Pid() == 0 {
				t.Errorf("restarted at %s as %d, before at %s as %d", s.Addr(), s.Pid(), addr, pid)
			}
			if n := dial(t, s.URL()).Exists(t.Context(), "k").Val(); n != tc.kept {
				t.Errorf("%d keys are there after the restart, want %d", n, tc.kept)
			}
		})
	}
}

func TestRestartKillsWhatRuns(t *testing.T) {
	s := Start(t)
	pid := s.Pid()
	s.Restart()
	if s.Pid() == pid {
		t.Errorf("the process is still %d", pid)
	}
	must(t, s.Redis().Ping(t.Context()).Err())
}

func TestRestartWaitsUntilAllIsLoaded(t *testing.T) {
	s := Start(t, AppendOnly)
	// Loading this takes a while, during which PING is refused.
	must(t, s.Redis().Eval(t.Context(), `for i = 1, 300000 do redis.call('rpush', 'k' .. i % 1000, i) end return 1`, nil).Err())
	s.Restart()
	conn := dial(t, s.URL())
	if n, err := conn.DBSize(t.Context()).Result(); n != 1000 || err != nil {
		t.Errorf("%d keys right after the restart, %v; want 1000", n, err)
	}
}

func TestPausedServerAnswersAfterResume(t *testing.T) {
	s := Start(t)
	rdb := dial(t, s.URL())
	must(t, rdb.Ping(t.Context()).Err())
	s.Pause()
	got := make(chan error, 1)
	go func() { got <- rdb.Set(context.Background(), "k", "v", 0).Err() }()
	select {
	case err := <-got:
		t.Errorf("a paused server has answered: %v", err)
	case <-time.After(50 * time.Millisecond): // too short would only make the test see less
	}
	s.Resume()
	must(t, <-got)
}

func TestPausedServerCanBeKilled(t *testing.T) {
	s := Start(t)
	s.Pause()
	s.Kill()
	s.Kill()
	s.Restart()
	must(t, s.Redis().Ping(t.Context()).Err())
}

func TestServerWithPasswordIsReady(t *testing.T) {
	s := Start(t, "requirepass secret")
	must(t, dial(t, strings.Replace(s.URL(), "//", "//:secret@", 1)).Ping(t.Context()).Err())
	if err := s.Redis().Ping(t.Context()).Err(); err == nil {
		t.Error("PING works without the password")
	}
}

func TestServerEndsWithItsTest(t *testing.T) {
	var s *Server
	t.Run("test", func(t *testing.T) { s = Start(t); s.Pause() })
	if s.Pid() != 0 || !free(s.port) || exists(s.socket) || exists(s.dir) {
		t.Errorf("pid %d, port free: %t, socket there: %t, folder there: %t",
			s.Pid(), free(s.port), exists(s.socket), exists(s.dir))
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, os.ErrNotExist)
}

// TestServerEndsWithItsProcess kills a test process, whose servers then end without being told.
func TestServerEndsWithItsProcess(t *testing.T) {
	if os.Getenv(ownerEnv) != "" {
		own(t)
		return
	}
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends a process with its parent")
	}
	needRedis(t)
	owner := exec.Command(os.Args[0], "-test.run=^TestServerEndsWithItsProcess$")
	owner.Env = append(os.Environ(), ownerEnv+"=1", "TMPDIR="+t.TempDir()) // what it leaves goes with this test
	input, err := owner.StdinPipe()
	must(t, err)
	defer input.Close()
	output, err := owner.StdoutPipe()
	must(t, err)
	must(t, owner.Start())
	lines := bufio.NewScanner(output)
	if !lines.Scan() {
		t.Fatal("the owner said nothing")
	}
	words := strings.Fields(lines.Text())
	if len(words) != 3 || !exists("/proc/"+words[1]) {
		t.Fatalf("the owner said %q", lines.Text())
	}
	must(t, owner.Process.Kill())
	_ = owner.Wait()
	await(t, "the server goes", func() error {
		conn, err := net.Dial("tcp", words[2])
		if err == nil {
			_ = conn.Close()
			return errors.New("it still takes connections")
		}
		return nil
	})
}

func TestMissingServerSkipsOrFails(t *testing.T) {
	for _, ci := range []string{"", "true"} {
		t.Run("CI="+ci, func(t *testing.T) {
			t.Setenv("PATH", t.TempDir())
			t.Setenv("CI", ci)
			r := &recorder{TB: t}
			done := make(chan struct{})
			go func() {
				defer close(done)
				Start(r)
			}()
			<-done
			if r.skipped != (ci == "") || r.failed != (ci == "true") {
				t.Errorf("skipped: %t, failed: %t", r.skipped, r.failed)
			}
		})
	}
}

// recorder keeps how a test has ended, instead of ending this one so.
type recorder struct {
	testing.TB
	skipped, failed bool
	said            string
}

func (r *recorder) Skip(...any)  { r.skipped = true; runtime.Goexit() }
func (r *recorder) Fatal(...any) { r.failed = true; runtime.Goexit() }

func (r *recorder) Fatalf(format string, args ...any) {
	r.said = fmt.Sprintf(format, args...)
	r.Fatal()
}

func TestPortsInUseAreNotTaken(t *testing.T) {
	port := reservePort(t, true)
	if reserve([]int{port}) || reserve([]int{port + busOffset}) {
		t.Error("a reserved port was given away")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	if free(listener.Addr().(*net.TCPAddr).Port) {
		t.Error("a port with a listener counts as free")
	}
}

func TestStartTakesAnotherPortIfOneIsTaken(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	tries := 0
	s := launch(t, layout{scheme: "redis", config: func(port int) []string {
		if tries++; tries == 1 {
			port = listener.Addr().(*net.TCPAddr).Port
		}
		return plainConfig(port)
	}}, nil)
	must(t, dial(t, s.URL()).Ping(t.Context()).Err())
	if tries != 2 {
		t.Errorf("%d tries", tries)
	}
}

func TestWrongConfigurationShowsTheLog(t *testing.T) {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		Start(r, "nonsense yes")
	}()
	<-done
	if !strings.Contains(r.said, "nonsense yes") {
		t.Errorf("the failure says %q", r.said)
	}
}

func TestPausedServerGoesOnWhenClientsAreClosed(t *testing.T) {
	t.Run("test", func(t *testing.T) {
		s := Start(t)
		rdb := dial(t, s.URL())
		t.Cleanup(func() {
			if err := rdb.Ping(context.Background()).Err(); err != nil {
				t.Error(err)
			}
		})
		s.Pause()
	})
}
