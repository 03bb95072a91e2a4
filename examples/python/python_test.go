// Package python_test has Go and Python programs work together in one workspace, on a real Redis.
package python_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/workspace"
)

const space = "shared/by both"

// site is a workspace that Go owns, and a Python process that uses it.
type site struct {
	*testing.T
	ctx    context.Context
	server *redistest.Server
	rdb    *redisx.Client
	ws     *workspace.Workspace
	py     *peer
}

func newSite(t *testing.T) *site {
	t.Helper()
	t.Parallel()
	interpreter(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	t.Cleanup(cancel)
	s := &site{T: t, ctx: ctx, server: redistest.Start(t)}
	s.rdb = s.connect()
	ws, err := workspace.Open(ctx, s.rdb, space, nil)
	s.must(err)
	s.ws, s.py = ws, startPeer(t, s.server.URL(), space)
	return s
}

func (s *site) connect() *redisx.Client {
	s.Helper()
	rdb, err := redisx.Open(s.ctx, s.server.URL(), nil)
	s.must(err)
	s.Cleanup(func() { s.must(rdb.Close()) })
	return rdb
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) equal(what, got, want string) {
	s.Helper()
	if got != want {
		s.Errorf("%s: %s, want %s", what, got, want)
	}
}

// waiting waits until so many callers do.
func (s *site) waiting(variable string, fetchers, finders int) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	for infos, err := range s.ws.Watch(ctx, variable) {
		if err != nil {
			s.Fatalf("%s: %v, want %d fetchers and %d finders", variable, err, fetchers, finders)
		}
		if len(infos) == 1 && infos[0].Fetchers == fetchers && infos[0].Finders == finders {
			return
		}
	}
}

// went is what became of a call of Go.
type went struct {
	text string
	err  error
}

type verb = func(ctx context.Context, variable string, into any) error

func (s *site) start(call verb, variable string) <-chan went {
	came := make(chan went, 1)
	go func() {
		var text json.RawMessage
		err := call(s.ctx, variable, &text)
		came <- went{string(text), err}
	}()
	return came
}

func (s *site) wantValue(came <-chan went) string {
	s.Helper()
	w := <-came // ends with s.ctx
	s.must(w.err)
	return w.text
}

func (s *site) wantEmpty(variable string) {
	s.Helper()
	var text json.RawMessage
	if there, err := s.ws.TryFind(s.ctx, variable, &text); there || err != nil {
		s.Errorf("%s holds %s, %v; want nothing", variable, text, err)
	}
}

// All values mean the same on both sides (V8).
func TestValues(t *testing.T) {
	s := newSite(t)
	for _, text := range []string{
		`""`, `null`, `0`, `[]`, `{}`, `false`, `"Grüße, 世界 🌍\u0000\n"`, `"<a href=\"x\">&</a>"`, `9007199254740993`, `-1.5e-300`,
		`{"b":[1,{"ä":null}],"a":""}`, `[[],[""]]`,
	} {
		var value any
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		s.must(decoder.Decode(&value))
		s.must(s.ws.Store(s.ctx, "to python", value))
		s.py.do("store", "to go", value)

		s.same("found by Python", s.py.do("find", "to python"), text)
		s.same("found by Python, trying", s.py.do("find_try", "to python"), text)
		s.same("fetched by Python", s.py.do("fetch_try", "to python"), text)
		s.same("found by Go", s.wantValue(s.start(s.ws.Find, "to go")), text)
		s.same("fetched by Go", s.wantValue(s.start(s.ws.Fetch, "to go")), text)
	}
	s.equal("where there is nothing", s.py.do("fetch_try", "to python"), "null")
	s.wantEmpty("to go")

	const verbatim = " [1,  2] not JSON"
	s.must(s.ws.Store(s.ctx, "bytes", []byte(verbatim)))
	s.py.wantError(s.py.start("fetch", "bytes"), "JSONDecodeError")
	s.equal("what does not decode stays", s.py.do("fetch_bytes", "bytes"), `" [1,  2] not JSON"`)
	s.py.do("store_bytes", "bytes", verbatim)
	var text []byte
	s.must(s.ws.Fetch(s.ctx, "bytes", &text))
	s.equal("bytes of Python", string(text), verbatim)
}

// same compares JSON texts by what they mean.
func (s *site) same(what, got, want string) {
	s.Helper()
	s.equal(what, s.normal(got), s.normal(want))
}

func (s *site) normal(text string) string {
	s.Helper()
	var value any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	s.must(decoder.Decode(&value))
	normal, err := json.Marshal(value)
	s.must(err)
	return string(normal)
}

func TestPythonWaits(t *testing.T) {
	s := newSite(t)
	fetcher, finder := s.py.start("fetch", "v"), s.py.start("find", "v")
	s.waiting("v", 1, 1)
	s.must(s.ws.Store(s.ctx, "v", 1))
	s.equal("finder", s.py.wantValue(finder), "1")
	s.equal("fetcher", s.py.wantValue(fetcher), "1")
	s.wantEmpty("v")
}

func TestGoWaits(t *testing.T) {
	s := newSite(t)
	fetcher, finder := s.start(s.ws.Fetch, "v"), s.start(s.ws.Find, "v")
	s.waiting("v", 1, 1)
	s.py.do("store", "v", 1)
	s.equal("finder", s.wantValue(finder), "1")
	s.equal("fetcher", s.wantValue(fetcher), "1")
	s.wantEmpty("v")
}

// Fetchers are served in the order in which they began to wait, in whichever language (V4).
func TestFetchersInTurn(t *testing.T) {
	s := newSite(t)
	var inPython []<-chan answer
	var inGo []<-chan went
	for i := range 4 {
		inPython = append(inPython, s.py.start("fetch", "v"))
		s.waiting("v", 2*i+1, 0)
		inGo = append(inGo, s.start(s.ws.Fetch, "v"))
		s.waiting("v", 2*i+2, 0)
	}
	finders := []<-chan answer{s.py.start("find", "v"), s.py.start("find", "v")}
	s.waiting("v", 8, 2)
	s.py.do("store", "v", 0, 1, 2, 3)
	s.must(s.ws.StoreAll(s.ctx, "v", 4, 5, 6, 7, "left"))
	for i := range 4 {
		s.equal("Python's turn", s.py.wantValue(inPython[i]), string(rune('0'+2*i)))
		s.equal("Go's turn", s.wantValue(inGo[i]), string(rune('1'+2*i)))
	}
	for _, finder := range finders {
		s.equal("finder", s.py.wantValue(finder), "0")
	}
	s.equal("what is left", s.py.do("fetch", "v"), `"left"`)
}

// Deleting a variable is a signal that no waiter misses (V7).
func TestDeletingWakes(t *testing.T) {
	s := newSite(t)
	inPython := []<-chan answer{s.py.start("fetch", "v"), s.py.start("find", "v"), s.py.start("ifind", "v", 1)}
	inGo := []<-chan went{s.start(s.ws.Fetch, "v"), s.start(s.ws.Find, "v")}
	s.waiting("v", 2, 3)
	s.must(s.ws.DeleteVar(s.ctx, "v"))
	s.must(s.ws.Store(s.ctx, "v", "of another variable"))
	s.py.wantError(inPython[0], "VariableDeleted")
	s.py.wantError(inPython[1], "VariableDeleted")
	s.equal("an iterator ends", s.py.wantValue(inPython[2]), "[]")
	for _, came := range inGo {
		if w := <-came; !errors.Is(w.err, workspace.ErrVarDeleted) {
			t.Errorf("Go has %q, %v; want ErrVarDeleted", w.text, w.err)
		}
	}
	s.py.do("delete_var", "v")
	s.py.wantError(s.py.start("delete_var", "v"), "NoVariable")

	fetcher := s.start(s.ws.Fetch, "v")
	s.waiting("v", 1, 0)
	s.py.do("delete_var", "v")
	if w := <-fetcher; !errors.Is(w.err, workspace.ErrVarDeleted) {
		t.Errorf("Go has %q, %v; want ErrVarDeleted", w.text, w.err)
	}

	finder := s.py.start("find", "v")
	s.waiting("v", 0, 1)
	s.must(workspace.Delete(s.ctx, s.rdb, space))
	s.py.wantError(finder, "NoWorkspace")
}

func TestIFind(t *testing.T) {
	s := newSite(t)
	s.must(s.ws.StoreAll(s.ctx, "v", "", nil, 0, []int{}))
	s.equal("what is there", s.py.do("ifind_try", "v"), `["", null, 0, []]`)
	iterator := s.py.start("ifind", "v", 6)
	s.waiting("v", 0, 1)
	s.must(s.ws.Store(s.ctx, "v", 4))
	s.waiting("v", 0, 1)
	s.must(s.ws.Fetch(s.ctx, "v", new(any))) // is not given again, and shifts nothing
	s.must(s.ws.Store(s.ctx, "v", 5))
	s.equal("what came meanwhile too", s.py.wantValue(iterator), `["", null, 0, [], 4, 5]`)
	s.equal("what is still there", s.py.do("ifind_try", "v"), `[null, 0, [], 4, 5]`)

	s.must(s.ws.Declare(s.ctx, "lifo", workspace.LIFO))
	s.py.wantError(s.py.start("ifind", "lifo", 1), "DeclaredError")
}

func TestModes(t *testing.T) {
	s := newSite(t)
	for _, mode := range []workspace.Mode{workspace.FIFO, workspace.LIFO, workspace.Multi, workspace.Single} {
		name := string(mode)
		s.py.do("declare", name, name)
		s.must(s.ws.Declare(s.ctx, name, mode))
		s.py.do("declare", name, name)
		s.py.do("store", name, 1, 2)
	}
	s.py.wantError(s.py.start("declare", "lifo", "fifo"), "DeclaredError")
	s.py.wantError(s.py.start("declare", "lifo", "queue"), "ValueError")
	if err := s.ws.Declare(s.ctx, "single", workspace.FIFO); !errors.Is(err, workspace.ErrDeclared) {
		t.Errorf("%v, want ErrDeclared", err)
	}
	for mode, want := range map[string]string{"fifo": "1", "lifo": "2", "single": "2"} {
		s.equal(mode, s.py.do("find", mode), want)
		s.equal(mode, s.py.do("fetch", mode), want)
	}
	if got := s.py.do("fetch", "multi") + s.py.do("fetch", "multi"); got != "12" && got != "21" {
		t.Errorf("multi gave %s", got)
	}
}

// A call whose time is over takes nothing, and leaves no waiter behind (V9).
func TestTimeout(t *testing.T) {
	s := newSite(t)
	s.py.wantError(s.py.start("fetch_for", "v", 0.01), "TimeoutError")
	s.waiting("v", 0, 0)
	s.must(s.ws.Store(s.ctx, "v", 1))
	s.equal("what was stored then", s.wantValue(s.start(s.ws.Fetch, "v")), "1")
}

// What a killed process waited for goes to the next (V10): at once, or when what was handed to it already goes back.
func TestKilled(t *testing.T) {
	for name, handed := range map[string]bool{"waiting": false, "when its value was on its way": true} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.py.start("fetch", "v")
			s.waiting("v", 1, 0)
			next := s.start(s.ws.Fetch, "v")
			s.waiting("v", 2, 0)
			if handed {
				s.must(s.py.cmd.Process.Signal(syscall.SIGSTOP)) // it is told, and cannot come
				s.must(s.ws.Store(s.ctx, "v", 1))
				if n, err := s.server.Redis().HLen(s.ctx, "nws:{shared}/by both:handed:v").Result(); n != 1 || err != nil {
					t.Errorf("handed to %d, %v; want 1", n, err)
				}
			}
			s.py.kill()
			if !handed {
				s.must(s.ws.Store(s.ctx, "v", 1))
			}
			s.equal("the next has", s.wantValue(next), "1")
			s.wantEmpty("v")
		})
	}
}

// A request is done once, also if its reply is lost and it has to be sent again.
func TestLostReplies(t *testing.T) {
	s := newSite(t)
	proxy := redistest.StartProxy(t, s.server.Addr())
	py := startPeer(t, proxy.URL(), space)
	py.do("store", "known scripts", 0) // else the reply that is lost is that Redis has no such script
	py.do("fetch", "known scripts")
	lost := proxy.LoseReply([]byte("stored once"))
	py.do("store", "v", "stored once")
	<-lost
	s.equal("what was stored", py.do("ifind_try", "v"), `["stored once"]`)

	s.must(s.ws.StoreAll(s.ctx, "taken once", 1, 2))
	lost = proxy.LoseReply([]byte("taken once"))
	s.equal("what was fetched", py.do("fetch", "taken once"), "1")
	<-lost
	s.equal("what is left", s.wantValue(s.start(s.ws.Fetch, "taken once")), "2")
	s.wantEmpty("taken once")

	// Where the subscription breaks, what was published meanwhile is made up for.
	fetcher := py.start("fetch", "w")
	s.waiting("w", 1, 0)
	proxy.Refuse()
	proxy.Cut()
	s.must(s.ws.Store(s.ctx, "w", 3))
	proxy.Allow()
	s.equal("what came while it was away", py.wantValue(fetcher), "3")
}

// What the messages do not tell, the beat does: values that are put in by hand, and messages that were lost.
func TestBeat(t *testing.T) {
	s := newSite(t)
	proxy := redistest.StartProxy(t, s.server.Addr())
	py := startPeer(t, proxy.URL(), space)
	byHand := py.start("find", "by hand")
	s.waiting("by hand", 0, 1)
	s.must(s.server.Redis().RPush(s.ctx, "nws:{shared}/by both:values:by hand", `"here"`).Err())
	s.equal("put in by hand", py.wantValue(byHand), `"here"`)

	stored, deleted := py.start("fetch", "stored"), py.start("fetch", "deleted")
	s.waiting("stored", 1, 0)
	s.waiting("deleted", 1, 0)
	proxy.Deafen()
	s.must(s.ws.Store(s.ctx, "stored", 1))
	s.must(s.ws.DeleteVar(s.ctx, "deleted"))
	s.must(s.ws.Store(s.ctx, "deleted", "of another variable"))
	s.equal("stored unheard", py.wantValue(stored), "1")
	py.wantError(deleted, "VariableDeleted")
}

// Python owns workspaces as Go does (W1, W3): they end with it.
func TestPythonOwns(t *testing.T) {
	s := newSite(t)
	closing, dying := startPeer(t, s.server.URL(), "of python", "30"), startPeer(t, s.server.URL(), "of another", "4")
	closing.do("store", "v", 1)
	dying.do("store", "v", 1)
	ws, err := workspace.Open(s.ctx, s.rdb, "of python", nil)
	s.must(err)
	if ws.Mine() {
		t.Error("Go owns what Python owns")
	}
	infos, err := workspace.List(s.ctx, s.rdb)
	s.must(err)
	if len(infos) != 3 || infos[1].Name != "of python" || infos[1].Owner.PID != closing.cmd.Process.Pid || infos[1].Persistent {
		t.Errorf("listed: %+v", infos)
	}
	closing.do("close")
	if err := ws.Store(s.ctx, "v", 1); !errors.Is(err, workspace.ErrNoWorkspace) {
		t.Errorf("%v, want ErrNoWorkspace", err)
	}

	other, err := workspace.Use(s.ctx, s.rdb, "of another", false)
	s.must(err)
	finder := s.start(other.Find, "never stored")
	dying.kill()
	for s.leaseRuns("nws:{of another}:ws") {
		time.Sleep(100 * time.Millisecond)
	}
	heir := startPeer(t, s.server.URL(), "of another", "30") // cleans up first
	if w := <-finder; !errors.Is(w.err, workspace.ErrNoWorkspace) {
		t.Errorf("%q, %v; want ErrNoWorkspace", w.text, w.err)
	}
	s.equal("what the heir finds", heir.do("ifind_try", "v"), "[]")
	heir.do("close")
	names, err := s.server.Redis().Keys(s.ctx, "nws:*of *").Result()
	if err != nil || len(names) > 0 {
		t.Errorf("left behind: %q, %v", names, err)
	}
	names, err = s.server.Redis().ZRange(s.ctx, "nws:names", 0, -1).Result()
	if err != nil || len(names) != 1 || names[0] != space {
		t.Errorf("listed: %q, %v", names, err)
	}
}

// leaseRuns reports whether the owner of a workspace counts as alive, by the clock of Redis.
func (s *site) leaseRuns(key string) bool {
	s.Helper()
	ends, err := s.server.Redis().HGet(s.ctx, key, "lease").Int64()
	s.must(err)
	now, err := s.server.Redis().Time(s.ctx).Result()
	s.must(err)
	return now.UnixMilli() < ends
}

// A peer of another version is told so, whichever is the older.
func TestVersion(t *testing.T) {
	s := newSite(t)
	for _, version := range []string{"0", "2"} {
		s.must(s.server.Redis().HSet(s.ctx, "nws:{shared}/by both:ws", "version", version).Err())
		program := "import redis, netspaces; netspaces.Workspace.open(redis.Redis.from_url('" + s.server.URL() + "'), '" + space + "')"
		out, err := python(t, "-c", program).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "netspaces.VersionError: ") || !strings.Contains(string(out), ": "+version+"\n") {
			t.Errorf("version %s, Python: %v\n%s", version, err, out)
		}
		for what, open := range map[string]func() (*workspace.Workspace, error){
			"Open": func() (*workspace.Workspace, error) { return workspace.Open(s.ctx, s.rdb, space, nil) },
			"Use":  func() (*workspace.Workspace, error) { return workspace.Use(s.ctx, s.rdb, space, false) },
			"Delete": func() (*workspace.Workspace, error) {
				return nil, workspace.Delete(s.ctx, s.rdb, space)
			},
		} {
			_, err := open()
			if !errors.Is(err, workspace.ErrVersion) || !strings.Contains(err.Error(), "version "+version) {
				t.Errorf("version %s, %s: %v, want ErrVersion", version, what, err)
			}
		}
	}
	s.must(s.server.Redis().HSet(s.ctx, "nws:{shared}/by both:ws", "version", "1").Err())
}

// The example works, with a display in Python for which Go measures too.
func TestWeather(t *testing.T) {
	s := newSite(t)
	run := func(args ...string) (*exec.Cmd, *bytes.Buffer) {
		cmd, out := python(t, append([]string{"weather.py"}, args...)...), new(bytes.Buffer)
		cmd.Env = append(cmd.Env, "REDIS_URL="+s.server.URL())
		cmd.Stdout, cmd.Stderr = out, out
		s.must(cmd.Start())
		return cmd, out
	}
	display, shown := run("show", "3")
	thermometer, said := run("measure", "2")
	if err := thermometer.Wait(); err != nil || said.Len() > 0 {
		t.Errorf("measuring: %v\n%s", err, said)
	}
	ws, err := workspace.Use(s.ctx, s.rdb, "weather", true)
	s.must(err)
	s.must(ws.Store(s.ctx, "temperature", -3))
	if err := display.Wait(); err != nil || shown.String() != "20.0\n20.5\n-3\n" {
		t.Errorf("shown: %v\n%s", err, shown)
	}
}

// The program in the README runs, and prints what its comments say.
func TestReadmeProgram(t *testing.T) {
	s := newSite(t)
	text, err := os.ReadFile("README.md")
	s.must(err)
	_, rest, found := strings.Cut(string(text), "```python\n")
	program, _, ended := strings.Cut(rest, "```\n")
	if !found || !ended {
		t.Fatal("README.md has no program")
	}
	program = strings.Replace(program, "redis.Redis()", "redis.Redis.from_url('"+s.server.URL()+"')", 1)
	out, err := python(t, "-c", program).CombinedOutput()
	if err != nil || string(out) != "21.5\n21.5\nnone\n" {
		t.Errorf("%v\n%s", err, out)
	}
}
