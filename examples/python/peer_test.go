package python_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

const patience = 30 * time.Second // for what comes within some seconds at the most

// peer is a Python process that does what a test tells it (see testdata/peer.py).
type peer struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser

	mu      sync.Mutex
	last    int
	answers map[int]chan answer
}

// answer is what became of one call; ended says that the process is gone instead.
type answer struct {
	ID    int             `json:"id"`
	Value json.RawMessage `json:"value"`
	Error string          `json:"error"`
	ended bool
}

// startPeer starts a process that uses the workspace of that name, or opens it as its owner if it is given a lease.
func startPeer(t *testing.T, url, name string, lease ...string) *peer {
	t.Helper()
	how := "use"
	if len(lease) > 0 {
		how = "open"
	}
	args := append([]string{filepath.Join("testdata", "peer.py"), url, name, how}, lease...)
	p := &peer{t: t, cmd: python(t, args...), answers: map[int]chan answer{}}
	p.cmd.Stderr = t.Output()
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		p.read(stdout)
	}()
	t.Cleanup(func() {
		p.kill()
		<-read
		_ = p.cmd.Wait() // it was killed
	})
	p.do("ready")
	return p
}

// python is a command that runs a script with the module in reach.
func python(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), interpreter(t), append([]string{"-B"}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONPATH=.", "PYTHONIOENCODING=utf-8")
	return cmd
}

// interpreter finds a Python that has redis-py, first the system's, for which Debian's python3-redis is. Where there is
// none the test is skipped; under CI=true, where nobody would see that, it fails.
func interpreter(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"/usr/bin/python3", "python3"} {
		if exec.CommandContext(t.Context(), program, "-c", "import redis").Run() == nil {
			return program
		}
	}
	const missing = "no Python with redis-py (Debian: apt-get install python3-redis)"
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

func (p *peer) read(stdout io.Reader) {
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		var a answer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			p.t.Errorf("Python printed %q", lines.Text())
			continue
		}
		p.mu.Lock()
		p.answers[a.ID] <- a
		delete(p.answers, a.ID)
		p.mu.Unlock()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, waiting := range p.answers {
		waiting <- answer{ended: true}
	}
	p.answers = nil
}

// start begins a call.
func (p *peer) start(verb string, args ...any) <-chan answer {
	p.t.Helper()
	p.mu.Lock()
	p.last++
	number, came := p.last, make(chan answer, 1)
	if p.answers == nil {
		came <- answer{ended: true}
	} else {
		p.answers[number] = came
	}
	p.mu.Unlock()
	line, err := json.Marshal(append([]any{number, verb}, args...))
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.stdin.Write(append(line, '\n')); err != nil {
		p.t.Fatal(err)
	}
	return came
}

// do makes a call that does not wait for others, and wants no error.
func (p *peer) do(verb string, args ...any) string {
	p.t.Helper()
	return p.wantValue(p.start(verb, args...))
}

func (p *peer) wantValue(came <-chan answer) string {
	p.t.Helper()
	a := p.wait(came)
	if a.Error != "" {
		p.t.Fatalf("Python raised %s", a.Error)
	}
	return string(a.Value)
}

func (p *peer) wantError(came <-chan answer, want string) {
	p.t.Helper()
	if a := p.wait(came); a.Error != want {
		p.t.Errorf("Python returned %s or raised %q, want %q", a.Value, a.Error, want)
	}
}

func (p *peer) wait(came <-chan answer) answer {
	p.t.Helper()
	select {
	case a := <-came:
		if a.ended {
			p.t.Fatal("Python ended before it answered")
		}
		return a
	case <-time.After(patience):
		p.t.Fatalf("Python did not answer in %v", patience)
	}
	return answer{}
}

// kill ends the process by SIGKILL.
func (p *peer) kill() { _ = p.cmd.Process.Kill() }
