package redistest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

const (
	masterName    = "mymaster"
	replicaCount  = 2
	sentinelCount = 3
	quorum        = 2
	downAfter     = 1000   // ms without an answer after which a server counts as down
	failoverLimit = 5000   // ms after which a failover that got stuck is tried again
	pauseLimit    = 60_000 // ms that a master is made to wait at most
)

// Sentinel is a master with two replicas, watched by three Sentinels. Which server is the master changes with
// failovers.
type Sentinel struct {
	t        testing.TB
	servers  []*Server
	watchers []watcher
}

// watcher is one Sentinel.
type watcher struct {
	*Server
	ask *redis.SentinelClient
}

// StartSentinel starts a master, two replicas and three Sentinels, two of which have to agree on a failover. Lines of
// config are added to the configuration of the servers that hold data.
func StartSentinel(t testing.TB, config ...string) *Sentinel {
	t.Helper()
	s := &Sentinel{t: t}
	master := Start(t, config...)
	s.servers = []*Server{master}
	follow := fmt.Sprintf("replicaof 127.0.0.1 %d", master.port)
	for range replicaCount {
		s.servers = append(s.servers, Start(t, append(slices.Clone(config), follow)...))
	}
	// A Sentinel asks for the replicas of a new master at once, and then seldom.
	await(t, "the replicas follow", func() error { return s.followed(master) })
	for range sentinelCount {
		w := watcher{Server: launch(t, layout{scheme: "redis", args: []string{"--sentinel"}, config: sentinelConfig}, nil)}
		w.ask = redis.NewSentinelClient(adminOptions(w.socket))
		t.Cleanup(func() { _ = w.ask.Close() })
		s.watchers = append(s.watchers, w)
		s.introduce(w, master)
	}
	s.WaitOK()
	return s
}

func sentinelConfig(port int) []string { return []string{fmt.Sprintf("port %d", port)} }

// introduce tells a Sentinel what to watch.
func (s *Sentinel) introduce(w watcher, master *Server) {
	s.t.Helper()
	// Redis as of 7.0 lets a Sentinel look more often. It takes longer for all to know of changes where this is refused.
	_ = w.admin.Do(context.Background(), "sentinel", "debug",
		"info-period", 200, "ping-period", 200, "publish-period", 200, "ask-period", 200).Err()
	s.must(w.Server, w.ask.Monitor(context.Background(),
		masterName, "127.0.0.1", strconv.Itoa(master.port), strconv.Itoa(quorum)).Err())
	s.set(w, "failover-timeout", failoverLimit)
	s.set(w, "parallel-syncs", replicaCount)
	s.set(w, "down-after-milliseconds", downAfter)
}

func (s *Sentinel) set(w watcher, option string, value int) {
	s.t.Helper()
	s.must(w.Server, w.ask.Set(context.Background(), masterName, option, strconv.Itoa(value)).Err())
}

func (s *Sentinel) must(server *Server, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("redistest: %s: %v", server.Addr(), err)
	}
}

// URL is the address of all Sentinels and the name of the master, in the form that redisx.Open takes.
func (s *Sentinel) URL() string {
	addrs := make([]string, len(s.watchers))
	for i, w := range s.watchers {
		addrs[i] = w.Addr()
	}
	return "redis+sentinel://" + strings.Join(addrs, ",") + "/" + masterName
}

// Servers are the master and its replicas, whether they run or not.
func (s *Sentinel) Servers() []*Server { return slices.Clone(s.servers) }

// Sentinels are the three Sentinels, whether they run or not.
func (s *Sentinel) Sentinels() []*Server {
	servers := make([]*Server, len(s.watchers))
	for i, w := range s.watchers {
		servers[i] = w.Server
	}
	return servers
}

// Master is the server that all Sentinels that run hold for the master, and that is one by its own account. If the
// master is down, Master waits for the failover.
func (s *Sentinel) Master() *Server {
	s.t.Helper()
	var master *Server
	await(s.t, "the Sentinels agree on a master that runs", func() (err error) {
		master, err = s.master()
		return err
	})
	return master
}

// WaitOK waits until all Sentinels that run agree on the master and are able to replace it, and all other servers that
// run follow it. After a Kill of the master that includes the failover, after a Restart that the old master follows the
// new.
//
// A master that is killed takes with it what its replicas have not received yet; a test that must not lose anything
// waits for that by WAIT, or uses Failover.
func (s *Sentinel) WaitOK() {
	s.t.Helper()
	await(s.t, "the master is watched and followed", s.well)
}
