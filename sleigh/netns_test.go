package sleigh_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// network is some hosts, which are network namespaces with one cable each to a switch, as is this one.
type network struct {
	t      *testing.T
	ip     string // the program
	id     int
	prefix string // of addresses
	hosts  int
}

var networks atomic.Int64 // so far

// newNetwork makes a network without hosts. It takes addresses that are for tests of networks, RFC 2544.
func newNetwork(t *testing.T) *network {
	t.Helper()
	n := &network{t: t, ip: needTool(t, "ip", "/usr/sbin/ip"), id: (os.Getpid() + 7*int(networks.Add(1))) % 1000}
	if os.Geteuid() != 0 {
		missing(t, "network namespaces are for root only")
	}
	n.prefix = fmt.Sprintf("198.%d.%d.", 18+n.id/500, n.id%250)
	if text, err := exec.Command(n.ip, "link", "add", n.device("s"), "type", "bridge").CombinedOutput(); err != nil {
		missing(t, fmt.Sprintf("no network can be made here: %s", text))
	}
	t.Cleanup(func() { n.run("link", "del", n.device("s")) })
	n.run("addr", "add", n.prefix+"1/24", "dev", n.device("s"))
	n.run("link", "set", n.device("s"), "up")
	return n
}

// device names one, in at most 15 letters.
func (n *network) device(what string) string { return fmt.Sprintf("nws%d%s", n.id, what) }

func (n *network) run(args ...string) {
	n.t.Helper()
	if text, err := exec.Command(n.ip, args...).CombinedOutput(); err != nil {
		n.t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, text)
	}
}

// host is one of a network.
type host struct {
	n       *network
	name    string
	address string
	cable   string   // the end of it that is at the switch
	inside  []string // how commands begin that run there
}

func (n *network) host(name string) *host {
	n.t.Helper()
	n.hosts++
	h := &host{n: n, name: name, address: fmt.Sprint(n.prefix, n.hosts+1), cable: n.device(fmt.Sprint("c", n.hosts))}
	space := n.device(name)
	n.run("netns", "add", space)
	n.t.Cleanup(func() { n.run("netns", "del", space) }) // and the cable with it
	n.run("link", "add", h.cable, "type", "veth", "peer", "name", "eth0", "netns", space)
	n.run("link", "set", h.cable, "master", n.device("s"), "up")
	n.run("-n", space, "addr", "add", h.address+"/24", "dev", "eth0")
	n.run("-n", space, "link", "set", "eth0", "up")
	n.run("-n", space, "link", "set", "lo", "up")
	// It has its own name, too.
	h.inside = []string{n.ip, "netns", "exec", space, needTool(n.t, "unshare"), "--uts", "/bin/sh", "-c", `hostname "$0" && exec "$@"`, name}
	return h
}

// cut unplugs the cable: what is sent gets lost, and nobody is told.
func (h *host) cut() { h.n.run("link", "set", h.cable, "down") }

func (h *host) mend() { h.n.run("link", "set", h.cable, "up") }

// redis runs a Redis on the host, and returns its URL.
func (h *host) redis() string {
	t := h.n.t
	t.Helper()
	server := needTool(t, "redis-server")
	cmd := exec.Command(h.inside[0], append(slices.Clone(h.inside[1:]), server, "-")...)
	cmd.Stdin = strings.NewReader("bind " + h.address + "\nport 6379\nrequirepass secret-of-redis\nsave \"\"\ndir " + t.TempDir() + "\n")
	log := &lockedBuffer{}
	cmd.Stdout = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	eventually(t, "Redis is there", func() bool { return strings.Contains(log.String(), "Ready to accept connections") })
	return "redis://:secret-of-redis@" + h.address + ":6379"
}

// TestS2CommandInNamespaces has commands that start workers inside of hosts.
func TestS2CommandInNamespaces(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	rdb := openAt(t, n.host("redis").redis())
	hosts := map[string]*host{"alpha": n.host("alpha"), "beta": n.host("beta")}
	s := start(t, rdb, &sleigh.Options{
		Output: func(l sleigh.Line) { t.Log(l) },
		Launch: sleigh.Command([]string{"alpha", "beta"}, func(name string) []string {
			return append(slices.Clone(hosts[name].inside), "nice", "-n", "5", self(t))
		}),
	})
	if err := s.Await(testContext(t), 2); err != nil {
		t.Fatal(err)
	}
	wantAll(t, s, 100)
	found, err := whereabouts.EachWorker(testContext(t), s, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{found[0].Host, found[1].Host}
	slices.Sort(names)
	if !slices.Equal(names, []string{"alpha", "beta"}) {
		t.Errorf("the workers are on %v", names)
	}
}

// where is the worker that ran an element.
type where struct {
	Host string
	PID  int
	X    int
}

// whereabouts takes 5 ms for an element.
var whereabouts = sleigh.Register("whereabouts", func(ctx context.Context, x int) (where, error) {
	time.Sleep(5 * time.Millisecond)
	return where{sleigh.WorkerFrom(ctx).Host(), os.Getpid(), x}, nil
})

// TestS2HostCutOff has three hosts, of which one is cut off in the middle of a job, so that the master gives its worker up and
// cannot launch another one; then it is brought back. All results come, each once. The worker that was cut off has ended.
func TestS2HostCutOff(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	site := newSite(t)
	rdb := openAt(t, n.host("redis").redis())
	var names []string
	hosts := map[string]*host{}
	for _, name := range []string{"alpha", "beta", "gamma"} {
		h := n.host(name)
		site.serve(name, h.address, 22, h.inside, "")
		names, hosts[name] = append(names, name), h
	}
	var log lockedBuffer
	s := start(t, rdb, &sleigh.Options{
		Launch: sleigh.SSH(names, &sleigh.SSHOptions{Args: []string{
			"-F", site.config, "-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=3", "-o", "ConnectTimeout=2",
		}}),
		Lease: 2 * time.Second, Logger: slog.New(slog.NewTextHandler(&log, nil)), Output: func(l sleigh.Line) { t.Log(l) },
	})
	if err := s.Await(testContext(t), 3); err != nil {
		t.Fatal(err)
	}
	beta := pidAt(t, s, 1)

	var enough atomic.Bool
	elements := func(yield func(int) bool) {
		for x := 0; ; x++ {
			if enough.Load() || !yield(x) {
				return
			}
		}
	}
	came := map[string]int{} // from each host, since it was cut off or mended last
	times := map[int]int{}   // that the result of each element came
	var mu sync.Mutex
	next := func() { mu.Lock(); clear(came); mu.Unlock() }
	from := func(host string) int { mu.Lock(); defer mu.Unlock(); return came[host] }
	ended := make(chan error, 1)
	go func() {
		ended <- whereabouts.Accumulate(testContext(t), s, elements, nil, func(index int, w where) error {
			mu.Lock()
			defer mu.Unlock()
			came[w.Host]++
			times[index]++
			if w.X != index {
				t.Errorf("result %d is %+v", index, w)
			}
			return nil
		})
	}()
	// Whatever goes wrong below, the job has to end.
	defer func() {
		enough.Store(true)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if len(times) < 100 {
			t.Errorf("there were %d elements", len(times))
		}
		for index, n := range times {
			if n != 1 {
				t.Errorf("result %d came %d times", index, n)
			}
		}
		for x := range len(times) {
			if times[x] == 0 {
				t.Errorf("result %d did not come", x)
			}
		}
	}()
	for _, name := range names {
		eventually(t, name+" works", func() bool { return from(name) > 10 })
	}
	hosts["beta"].cut()
	cut := time.Now()
	eventually(t, "the master cannot reach it", func() bool {
		failed := statusOf(t, s).Failed
		return len(failed) == 1 && failed[0].Host == "beta" && failed[0].Rank == 1 && strings.Contains(failed[0].Stderr, "ssh: connect to host")
	})
	t.Logf("the loss of a host was noticed, and a launch there has failed, after %.1f s", time.Since(cut).Seconds())
	next()
	eventually(t, "the others go on", func() bool { return from("alpha") > 100 && from("gamma") > 100 })
	eventually(t, "the worker that was cut off ends by itself", func() bool { return !alive(t, beta) })
	hosts["beta"].mend()
	mended := time.Now()
	next()
	eventually(t, "the host works again", func() bool { return from("beta") > 10 })
	t.Logf("a worker on it worked %.1f s after it was back", time.Since(mended).Seconds())
	if err := s.Await(testContext(t), 3); err != nil {
		t.Error(err)
	}
	if failed := statusOf(t, s).Failed; len(failed) > 0 {
		t.Errorf("still failed: %+v", failed)
	}
	for _, line := range commandLines(t) {
		if strings.Contains(line, "secret-of-redis") {
			t.Errorf("the password is on a command line: %s", line)
		}
	}
}
