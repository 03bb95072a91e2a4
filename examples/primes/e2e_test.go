//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/sleigh"
)

// patience is far longer than anything here takes on a busy machine. What waits for so long has failed.
const patience = 90 * time.Second

// endless is work that no machine gets done while a test runs.
var endless = []string{"--limit=1000000000000", "--workers=2"}

// binary is the program as a user builds it.
var binary = sync.OnceValues(func() (string, error) {
	var err error
	if builtIn, err = os.MkdirTemp("", "primes-test-"); err != nil {
		return "", err
	}
	path := filepath.Join(builtIn, "primes")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// A run is the program at work.
type run struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr *screen
	ended  chan struct{}
}

// start starts the program with stderr on a terminal, and as the leader of a process group as a shell does.
func start(t *testing.T, args ...string) *run {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	r := &run{t: t, cmd: exec.Command(path, args...), ended: make(chan struct{})}
	var tty *os.File
	r.stderr, tty = newScreen(t)
	r.cmd.Stdout = &r.stdout
	r.cmd.Stderr = tty
	r.cmd.WaitDelay = patience
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = r.cmd.Wait()
		tty.Close()
		<-r.stderr.closed // by the workers too, which write there as well
		close(r.ended)
	}()
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		select {
		case <-r.ended:
		case <-time.After(patience):
			t.Error("the program or its workers do not end")
		}
	})
	return r
}

// wait returns the exit code as a shell has it.
func (r *run) wait() int {
	r.t.Helper()
	select {
	case <-r.ended:
	case <-time.After(patience):
		r.t.Fatalf("the program does not end; stderr:\n%q", r.stderr.text())
	}
	if status := r.cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		return exitSignal + int(status.Signal())
	}
	return r.cmd.ProcessState.ExitCode()
}

// prints waits for the end and checks what the program has printed.
func (r *run) prints(want string) {
	r.t.Helper()
	if code := r.wait(); code != 0 || r.stdout.String() != want {
		r.t.Errorf("exit code %d, got %q, want %q; stderr:\n%q", code, r.stdout.String(), want, r.stderr.text())
	}
}

func (r *run) signal(s syscall.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

// workers are the process ids of the worker processes, and of nothing else that the program has started.
func (r *run) workers() []int {
	r.t.Helper()
	var pids []int
	for _, p := range processes(r.t) {
		if p.parent == r.cmd.Process.Pid && p.name == "primes" {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

var count = regexp.MustCompile(`\((\d+)/(\d+),`)

// underWay waits until some chunks are done, and returns the workers.
func (r *run) underWay() []int {
	r.t.Helper()
	r.stderr.await(func(text string) bool {
		shown := count.FindAllStringSubmatch(text, -1)
		return len(shown) > 0 && shown[len(shown)-1][1] != "0"
	})
	pids := r.workers()
	if len(pids) == 0 {
		r.t.Fatal("no worker is found")
	}
	return pids
}

// A screen is what was written to a terminal so far.
type screen struct {
	t       *testing.T
	mu      sync.Mutex
	written bytes.Buffer
	more    chan struct{} // closed and replaced when something is written
	closed  chan struct{} // closed when nobody can write any more
}

// newScreen returns it with the end of the terminal that a program writes to.
func newScreen(t *testing.T) (*screen, *os.File) {
	t.Helper()
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, more: make(chan struct{}), closed: make(chan struct{})}
	go func() {
		defer close(s.closed)
		defer ptmx.Close()
		buf := make([]byte, 4096)
		for {
			n, err := ptmx.Read(buf)
			s.mu.Lock()
			s.written.Write(buf[:n])
			close(s.more)
			s.more = make(chan struct{})
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return s, tty
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written.String()
}

// await returns once the text is as wanted.
func (s *screen) await(wanted func(text string) bool) {
	s.t.Helper()
	late := time.After(patience)
	for {
		s.mu.Lock()
		text, more := s.written.String(), s.more
		s.mu.Unlock()
		if wanted(text) {
			return
		}
		select {
		case <-more:
		case <-late:
			s.t.Fatalf("the terminal has only\n%q", text)
		}
	}
}

// eventually asks again and again, for states that nothing tells of.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not so after %v: %s", patience, what)
		}
	}
}

type process struct {
	pid, parent int
	name        string
}

// processes are all that run here; a zombie does not.
func processes(t *testing.T) []process {
	t.Helper()
	var rows []string
	if stats, _ := filepath.Glob("/proc/[0-9]*/stat"); len(stats) > 0 {
		for _, path := range stats {
			stat, _ := os.ReadFile(path) // It may have ended by now.
			if m := regexp.MustCompile(`^(\d+) \((.*)\) (\S) (\d+) `).FindSubmatch(stat); m != nil {
				rows = append(rows, fmt.Sprintf("%s %s %s %s", m[1], m[4], m[3], m[2]))
			}
		}
	} else {
		out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=,stat=,comm=").Output()
		if err != nil {
			t.Fatal(err)
		}
		rows = strings.Split(string(out), "\n")
	}
	var all []process
	for _, row := range rows {
		f := strings.Fields(row)
		if len(f) < 4 || f[2][0] == 'Z' {
			continue
		}
		pid, _ := strconv.Atoi(f[0])
		parent, _ := strconv.Atoi(f[1])
		all = append(all, process{pid, parent, filepath.Base(f[3])})
	}
	return all
}

func awaitEnd(t *testing.T, pids []int) {
	t.Helper()
	eventually(t, "the workers end", func() bool {
		return !slices.ContainsFunc(processes(t), func(p process) bool { return slices.Contains(pids, p.pid) })
	})
}

func needRedis(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// redisServer starts a redis-server that ends with the test.
func redisServer(t *testing.T, config ...string) (url string, rdb *redis.Client) {
	t.Helper()
	needRedis(t)
	dir := t.TempDir()
	socket := filepath.Join(dir, "redis.sock")
	config = append([]string{"port 0", "save \"\"", "dir " + dir, "unixsocket " + socket}, config...)
	cmd := exec.Command("redis-server", "-")
	cmd.Stdin = strings.NewReader(strings.Join(config, "\n"))
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	rdb = redis.NewClient(&redis.Options{Network: "unix", Addr: socket})
	t.Cleanup(func() {
		rdb.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("redis-server says:\n%s", log.String())
		}
	})
	eventually(t, "redis-server answers", func() bool {
		err := rdb.Ping(t.Context()).Err()
		return err == nil || redis.HasErrorPrefix(err, "NOAUTH")
	})
	return "unix://" + socket, rdb
}

// checkNoKeys fails for anything left on the server.
func checkNoKeys(t *testing.T, rdb *redis.Client) {
	t.Helper()
	if keys, err := rdb.Keys(t.Context(), "*").Result(); err != nil || len(keys) > 0 {
		t.Errorf("left on the Redis: %q, %v", keys, err)
	}
}

// onBoth runs the test on an embedded Redis and on a real one.
func onBoth(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		test(t, "mem://")
	})
	t.Run("real", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		test(t, "local://")
	})
}

const (
	line5 = "9592 primes below 100000: 2 3 5 … 99971 99989 99991\n"
	line6 = "78498 primes below 1000000: 2 3 5 … 999961 999979 999983\n"
)

func TestProgram(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		start(t, "--redis", url, "--limit=100000").prints(line5)
		start(t, "--redis", url, "--limit=1000000", "--chunk=1000").prints(line6)
	})
}

// The workers end with the program, and so does what it has on a shared Redis.
func TestNothingIsLeft(t *testing.T) {
	url, rdb := redisServer(t)
	r := start(t, "--redis", url, "--limit=1000000", "--chunk=100")
	pids := r.underWay()
	r.prints(line6)
	awaitEnd(t, pids)
	checkNoKeys(t, rdb)
}

// Programs on one Redis do not disturb each other.
func TestTwoMasters(t *testing.T) {
	url, rdb := redisServer(t)
	a := start(t, "--redis", url, "--limit=1000000", "--chunk=500")
	b := start(t, "--redis", url, "--limit=100000", "--chunk=20")
	a.prints(line6)
	b.prints(line5)
	checkNoKeys(t, rdb)
}

// A worker killed while chunks are missing costs time, not primes.
func TestWorkerKilled(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		r := start(t, "--redis", url, "--workers=2", "--limit=1000000", "--chunk=10")
		pids := r.underWay()
		if err := syscall.Kill(pids[0], syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		killed := len(r.stderr.text())
		r.prints(line6)
		// The bar has gone on after the kill, and was not at its end then.
		more := count.FindStringSubmatch(r.stderr.text()[killed:])
		if more == nil || more[1] == more[2] {
			t.Errorf("the worker was killed too late: %q", r.stderr.text()[killed:])
		}
	})
}

var workerPID = sleigh.Register("primes_test.workerPID", func(context.Context, struct{}) (int, error) {
	return os.Getpid(), nil
})

// The master knows for sure that chunks were missing when it lost a worker.
func TestWorkerKilledByMaster(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := parameters{Limit: 100000, Chunk: 10}
		s := startSleigh(t, url, sleigh.Local(2))
		pids, err := workerPID.EachWorker(t.Context(), s, struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		killed := false
		got, err := primesBelow(t.Context(), s, p, func(done int) {
			if done < p.tasks() && !killed {
				killed = syscall.Kill(pids[1], syscall.SIGKILL) == nil
			}
		})
		if want := sieve(p.Limit); err != nil || !slices.Equal(got, want) {
			t.Errorf("%d primes, %v", len(got), err)
		}
		if !killed {
			t.Error("no worker was killed in time")
		}
	})
}

// Ctrl-C in a terminal reaches the workers as well, and whatever else the program has started.
func (r *run) ctrlC() {
	r.t.Helper()
	if err := syscall.Kill(-r.cmd.Process.Pid, syscall.SIGINT); err != nil {
		r.t.Fatal(err)
	}
}

// checkStopped checks how a program ends that was stopped in the middle of its work.
func (r *run) checkStopped(want int, pids []int) {
	r.t.Helper()
	if code := r.wait(); code != want || r.stdout.Len() > 0 {
		r.t.Errorf("exit code %d, want %d; stdout %q", code, want, r.stdout.String())
	}
	// The last line stands where the bar was.
	if text := r.stderr.text(); !regexp.MustCompile("\x1b\\[2K\rprimes: stopped by signal: [a-z]+\r\n$").MatchString(text) {
		r.t.Errorf("the terminal has\n%q", text)
	}
	awaitEnd(r.t, pids)
}

func TestCtrlC(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		r := start(t, append(endless, "--redis", url)...)
		pids := r.underWay()
		r.ctrlC()
		r.checkStopped(130, pids)
	})
	t.Run("shared", func(t *testing.T) {
		t.Parallel()
		url, rdb := redisServer(t)
		for sig, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
			r := start(t, append(endless, "--redis", url)...)
			pids := r.underWay()
			r.signal(sig)
			r.checkStopped(code, pids)
			checkNoKeys(t, rdb)
		}
	})
}

// Workers that hang can hold up the end, but not after a second Ctrl-C.
func TestSecondCtrlC(t *testing.T) {
	r := start(t, endless...)
	pids := r.underWay()
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	}
	r.ctrlC()
	r.stderr.await(func(text string) bool { return strings.HasSuffix(text, "\x1b[2K\r") })
	r.ctrlC()
	// A stopped process does nothing, not even end.
	eventually(t, "the program ends", func() bool {
		return !slices.ContainsFunc(processes(t), func(p process) bool { return p.pid == r.cmd.Process.Pid })
	})
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	r.wait()
	if status := r.cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGINT {
		t.Errorf("ended with %v", r.cmd.ProcessState)
	}
	awaitEnd(t, pids)
}

// Workers do not outlive a program that could not tell them to end.
func TestMasterKilled(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		r := start(t, append(endless, "--redis", url)...)
		pids := r.underWay()
		r.signal(syscall.SIGKILL)
		if code := r.wait(); code != 137 {
			t.Errorf("exit code %d", code)
		}
		awaitEnd(t, pids)
	})
}

func TestNoRedis(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	listener.Close()
	t.Run("no server", func(t *testing.T) {
		code, out, errs := runIn(t.Context(), "--redis", "redis://:secret@"+closed)
		checkNoRedis(t, code, out, errs, closed)
	})
	t.Run("wrong password", func(t *testing.T) {
		url, _ := redisServer(t, "requirepass right")
		code, out, errs := runIn(t.Context(), "--redis", strings.Replace(url, "unix://", "unix://:secret@", 1))
		checkNoRedis(t, code, out, errs, "password")
	})
	t.Run("no redis-server", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		code, out, errs := runIn(t.Context(), "--redis=local://")
		checkNoRedis(t, code, out, errs, "redis-server")
	})
}

func checkNoRedis(t *testing.T, code int, out, errs, says string) {
	t.Helper()
	if code != exitNoRedis || out != "" || !strings.HasPrefix(errs, "primes: ") || !strings.Contains(errs, says) {
		t.Errorf("exit code %d, stdout %q, stderr %q, want one with %q", code, out, errs, says)
	}
	if strings.Contains(errs, "secret") {
		t.Errorf("the password is shown: %q", errs)
	}
}

// The bar shows what is done, how fast, and how long it will take; nothing of it is left, nor gets into the result.
func TestProgressBar(t *testing.T) {
	t.Run("on its way", func(t *testing.T) {
		r := start(t, endless...)
		r.stderr.await(regexp.MustCompile(`\rprimes +\d+% \|.*\| \(\d+/100000000, \d+ chunks/s\) \[\d+s:\w+\]`).MatchString)
		r.ctrlC()
		r.wait()
	})
	t.Run("to the end", func(t *testing.T) {
		r := start(t, "--json", "--limit=1000000")
		if code := r.wait(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		if out := r.stdout.String(); !strings.HasPrefix(out, `{"count":78498,`) || strings.Count(out, "\n") != 1 {
			t.Errorf("stdout %q", out)
		}
		text := r.stderr.text()
		if !strings.Contains(text, "\rprimes ") || !strings.HasSuffix(text, "\x1b[2K\r") {
			t.Errorf("no bar, or it is left: %q", text)
		}
	})
}
