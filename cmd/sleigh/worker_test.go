//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/cmd/internal/clitest"
	"github.com/netspaces/netspaces/redisx/redistest"
)

// program is the command at work, with pipes and no terminal.
type program struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout bytes.Buffer // complete once it has ended
	ended  chan struct{}

	mu     sync.Mutex
	stderr bytes.Buffer
}

func (p *program) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.Write(text)
}

func (p *program) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

// begin starts the command with variables in its environment besides REDIS_URL.
func begin(t *testing.T, url string, env []string, args ...string) *program {
	t.Helper()
	p := &program{t: t, cmd: exec.Command("sleigh", args...), ended: make(chan struct{})}
	p.cmd.Dir = t.TempDir()
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=/no-home", "GORACE=atexit_sleep_ms=10", "REDIS_URL=" + url}, env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, p
	p.cmd.WaitDelay = clitest.Patience
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("%v says:\n%s", args, p.log())
		}
	})
	return p
}

// terminate sends SIGTERM.
func (p *program) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
}

func (p *program) ends(want int) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(clitest.Patience):
		p.t.Fatal("the command does not end")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != want {
		p.t.Errorf("exit code %d, want %d", code, want)
	}
}

// soon asks again and again, for states that nothing tells of.
func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(clitest.Patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in %v: %s", clitest.Patience, what)
		}
	}
}

// logged waits for a record of the log, and gives one of its fields.
func (p *program) logged(message, field string) string {
	p.t.Helper()
	var found map[string]any
	soon(p.t, "the log has "+message, func() bool {
		for line := range strings.Lines(p.log()) {
			var record map[string]any
			if err := json.Unmarshal([]byte(line), &record); err != nil {
				continue // the rest of the line is to come
			}
			if record["msg"] == message {
				found = record
				return true
			}
		}
		return false
	})
	text, _ := found[field].(string)
	return text
}

// get gives what a worker says over HTTP.
func get(t *testing.T, url string) (code int, text string) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func TestHealth(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	worker := begin(t, server.URL(), nil, "worker", "--team", "farm", "--allow-commands", "--listen", "127.0.0.1:0")
	at := "http://" + worker.logged("listening", "address")
	worker.logged("waiting for the team to start", "")
	if code, text := get(t, at+"/healthz"); code != 200 || text != "ok\n" {
		t.Errorf("healthz: %d %q", code, text)
	}
	if code, _ := get(t, at+"/readyz"); code != 503 {
		t.Errorf("readyz, before there is a team: %d", code)
	}
	if _, text := get(t, at+"/metrics"); !strings.Contains(text, `sleigh_worker_joined{team="farm"} 0`) {
		t.Errorf("metrics, before there is a team:\n%s", text)
	}

	begin(t, server.URL(), nil, "each", "--team", "farm", "--", "sh", "-c", "test $0 != 2", ":::", "1", "2", "3").ends(5)
	if code, text := get(t, at+"/readyz"); code != 200 {
		t.Errorf("readyz: %d %q", code, text)
	}
	// A failed command is a result, and no failed element.
	for _, want := range []string{
		`sleigh_worker_elements_done_total{team="farm"} 3`, `sleigh_worker_elements_failed_total{team="farm"} 0`,
		`sleigh_worker_elements_running{team="farm"} 0`, `sleigh_worker_joined{team="farm"} 1`, `sleigh_worker_rank{team="farm"} 0`,
		`sleigh_worker_redis_retries_total{team="farm"} 0`, `sleigh_worker_processes_launched_total{team="farm"} 1`,
		`go_goroutines`,
	} {
		soon(t, "metrics have "+want, func() bool {
			_, text := get(t, at+"/metrics")
			return strings.Contains(text, want)
		})
	}

	server.Kill()
	if code, text := get(t, at+"/healthz"); code != 503 || !strings.Contains(text, "Redis") {
		t.Errorf("healthz without a Redis: %d %q", code, text)
	}
	server.Restart()
	soon(t, "the worker is well again", func() bool {
		code, _ := get(t, at+"/healthz")
		return code == 200
	})
	worker.terminate()
	worker.ends(0)
}

// manager stands for systemd.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
	path string
}

func newManager(t *testing.T) *manager {
	t.Helper()
	folder, err := os.MkdirTemp("", "sleigh-notify-") //nolint:usetesting // The test's own folder may be too long for a socket.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	path := filepath.Join(folder, "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &manager{t, conn, path}
}

// hears waits for a message that begins so.
func (m *manager) hears(wanted string) {
	m.t.Helper()
	_ = m.conn.SetReadDeadline(time.Now().Add(clitest.Patience))
	buf := make([]byte, 4096)
	for {
		n, err := m.conn.Read(buf)
		if err != nil {
			m.t.Fatalf("no %s: %v", wanted, err)
		}
		if strings.HasPrefix(string(buf[:n]), wanted) {
			return
		}
	}
}

// A service tells systemd that it is ready, what it does, that it lives and that it stops; its commands do not see how.
func TestSystemd(t *testing.T) {
	t.Parallel()
	server, m := redistest.Start(t), newManager(t)
	env := []string{"NOTIFY_SOCKET=" + m.path, "WATCHDOG_USEC=200000"}
	worker := begin(t, server.URL(), env, "worker", "--team", "farm", "--allow-commands")
	m.hears("READY=1\nSTATUS=waiting for team farm")
	m.hears("WATCHDOG=1")
	run := begin(t, server.URL(), nil, "each", "--team", "farm", "--", "env", ":::", "SEEN=1")
	run.ends(0)
	if text := run.stdout.String(); !strings.Contains(text, "SEEN=1") || strings.Contains(text, "NOTIFY_") || strings.Contains(text, "WATCHDOG_") {
		t.Errorf("a command sees\n%s", text)
	}
	m.hears("STATUS=worker 0 of team farm: 1 done")
	worker.terminate()
	m.hears("STOPPING=1")
	worker.ends(0)
}

// Where systemd is not to be reached, the log says why it will take the service for one that does not become ready.
func TestNoSystemd(t *testing.T) {
	t.Parallel()
	nowhere := filepath.Join(t.TempDir(), "nobody")
	worker := begin(t, redistest.Start(t).URL(), []string{"NOTIFY_SOCKET=" + nowhere}, "worker", "--team", "farm")
	if at := worker.logged("systemd cannot be told that the service is ready, and may end it", "NOTIFY_SOCKET"); at != nowhere {
		t.Errorf("the socket is %q", at)
	}
	worker.logged("waiting for the team to start", "")
	worker.terminate()
	worker.ends(0)
}

// At SIGTERM a worker lets end what it runs, and at a second one it leaves at once.
func TestWorkerLeaves(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	worker := begin(t, server.URL(), nil, "worker", "--team", "farm", "--allow-commands")
	gate := filepath.Join(t.TempDir(), "gate")
	script := "echo > " + gate + ".begun$0; until test -e " + gate + "; do sleep 0.02; done; echo done $0"
	run := begin(t, server.URL(), nil, "each", "--team", "farm", "--", "sh", "-c", script, ":::", "1")
	exists := func(path string) func() bool {
		return func() bool {
			_, err := os.Stat(path)
			return err == nil
		}
	}
	soon(t, "the command runs", exists(gate+".begun1"))
	worker.terminate()
	soon(t, "the worker leaves", func() bool {
		status := begin(t, server.URL(), nil, "status", "--json")
		status.ends(0)
		return strings.Contains(status.stdout.String(), `"leaving"`)
	})
	if err := os.WriteFile(gate, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	worker.ends(0)
	run.ends(0)
	if text := run.stdout.String(); text != "done 1\n" {
		t.Errorf("it printed %q", text)
	}

	// What the one that leaves at once had begun is done by another.
	if err := os.Remove(gate); err != nil {
		t.Fatal(err)
	}
	hasty := begin(t, server.URL(), nil, "worker", "--team", "farm", "--allow-commands")
	run = begin(t, server.URL(), nil, "each", "--team", "farm", "--", "sh", "-c", script, ":::", "2")
	soon(t, "the command runs", exists(gate+".begun2"))
	hasty.terminate()
	soon(t, "the worker leaves", func() bool {
		status := begin(t, server.URL(), nil, "status", "--json")
		status.ends(0)
		return strings.Contains(status.stdout.String(), `"leaving"`)
	})
	hasty.terminate()
	hasty.ends(0)
	if err := os.WriteFile(gate, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	begin(t, server.URL(), nil, "worker", "--team", "farm", "--allow-commands")
	run.ends(0)
	if text := run.stdout.String(); text != "done 2\n" {
		t.Errorf("it printed %q", text)
	}
}

// For people the log is text, and Ctrl-C is a way to leave.
func TestWorkerOnATerminal(t *testing.T) {
	t.Parallel()
	x := onTerminal(t, 80, atServer(redistest.Start(t)), "worker", "--team", "farm")
	x.AwaitRaw(`level=INFO msg="waiting for the team to start" team=farm`)
	x.Type("\x03")
	x.Ends(0)
}
