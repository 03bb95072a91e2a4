package redisx

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx/redistest"
)

// join is repeatable: it tells the size of a set that its argument belongs to.
var join = NewScript("join", `redis.call('sadd', KEYS[1], ARGV[1]) return redis.call('scard', KEYS[1])`)

// joining calls join on each of the keys from goroutines of their own until stop, and fails for any error. Counts tell
// how many have succeeded.
func joining(t *testing.T, rdb *Client, keys ...string) (counts []*atomic.Int64, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, key := range keys {
		count := &atomic.Int64{}
		counts = append(counts, count)
		for g := range 4 {
			running.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					if _, err := rdb.Run(context.Background(), join, []string{key}, fmt.Sprint(g, "-", i%100)); err != nil {
						t.Errorf("%s: %v", key, err)
						return
					}
					count.Add(1)
				}
			})
		}
	}
	return counts, func() {
		cancel()
		running.Wait()
	}
}

// goOn waits until each of the counts has grown.
func goOn(t *testing.T, counts []*atomic.Int64) {
	t.Helper()
	for i, count := range counts {
		before := count.Load()
		eventually(t, fmt.Sprintf("calls on key %d go on", i), func() bool { return count.Load() > before+10 })
	}
}

// keysOfMasters gives a key for each master.
func keysOfMasters(c *redistest.Cluster, masters int) []string {
	var keys []string
	seen := map[string]bool{}
	for i := 0; len(keys) < masters; i++ {
		key := fmt.Sprintf("{k%d}", i)
		if addr := c.MasterOf(key).Addr(); !seen[addr] {
			seen[addr] = true
			keys = append(keys, key)
		}
	}
	return keys
}

func TestCluster(t *testing.T) {
	servers := redistest.StartCluster(t, 3, 1)
	rdb := mustOpen(t, servers.URL())
	if !rdb.Cluster() || rdb.String() != servers.URL() {
		t.Errorf("cluster %v, called %q", rdb.Cluster(), rdb)
	}
	keys := keysOfMasters(servers, 3)
	counts, stop := joining(t, rdb, keys...)
	defer stop()
	goOn(t, counts)

	t.Run("script flush", func(t *testing.T) {
		for _, s := range servers.Nodes() {
			if err := s.Redis().ScriptFlush(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
		}
		goOn(t, counts)
	})
	t.Run("moving slot", func(t *testing.T) {
		move := servers.BeginMove(keys[0])
		goOn(t, counts)
		move.MoveKeys(1) // from here on the old master says ASK
		goOn(t, counts)
		move.Finish()
		goOn(t, counts)
	})
	t.Run("failover", func(t *testing.T) {
		servers.Failover(keys[1])
		goOn(t, counts)
	})
	t.Run("kill", func(t *testing.T) {
		master := servers.MasterOf(keys[2])
		master.Kill()
		goOn(t, counts)
		master.Restart()
		servers.WaitOK()
		goOn(t, counts)
	})
}

// TestClusterSlowNode has calls to one master wait, and those to another one not.
func TestClusterSlowNode(t *testing.T) {
	servers := redistest.StartCluster(t, 3, 0, "cluster-node-timeout 60000")
	rdb := mustOpen(t, servers.URL()+"?read_timeout=1m")
	keys := keysOfMasters(servers, 2)
	for _, key := range keys {
		if _, err := rdb.Run(t.Context(), join, []string{key}, "first"); err != nil {
			t.Fatal(err)
		}
	}
	master := servers.MasterOf(keys[0])
	master.Pause()
	var waiting sync.WaitGroup
	var done atomic.Int32
	for i := range 10 {
		waiting.Go(func() {
			if _, err := rdb.Run(context.Background(), join, []string{keys[0]}, i); err != nil {
				t.Error(err)
			}
			done.Add(1)
		})
	}
	for i := range 500 {
		if _, err := rdb.Run(t.Context(), join, []string{keys[1]}, i); err != nil {
			t.Fatal(err)
		}
	}
	if done.Load() > 0 {
		t.Error("a server that is stopped has answered")
	}
	master.Resume()
	waiting.Wait()
}

func TestClusterWrongKind(t *testing.T) {
	servers := redistest.StartCluster(t, 3, 0)
	addr := servers.Nodes()[0].Addr()
	for _, s := range servers.Nodes() {
		err := s.Redis().Do(t.Context(), "ACL", "SETUSER", "bob", "on", ">"+secret, "+@all", "~*", "&*").Err()
		if err != nil {
			t.Fatal(err)
		}
	}
	bob := "bob:" + secret + "@"
	mustOpen(t, strings.Replace(servers.URL(), "://", "://"+bob, 1))
	_, err := Open(t.Context(), "redis://"+addr, nil)
	if !errors.Is(err, ErrURL) || !strings.Contains(err.Error(), "redis+cluster://"+addr) {
		t.Errorf("a node by redis://: %v", err)
	}
	alone := redistest.Start(t)
	_, err = Open(t.Context(), "redis+cluster://"+alone.Addr(), nil)
	if !errors.Is(err, ErrURL) || !strings.Contains(err.Error(), "use redis://") {
		t.Errorf("a server by redis+cluster://: %v", err)
	}
	_, err = Open(t.Context(), strings.Replace(servers.URL(), "://", "://bob:"+secret[:8]+"@", 1), nil)
	if !errors.Is(err, ErrAuth) {
		t.Errorf("a wrong password: %v", err)
	}
	mustNotTell(t, err, secret[:8])
	_, err = Open(t.Context(), fmt.Sprintf("redis+cluster://:%s@127.0.0.1:%d", secret, redistest.FreePort(t)), nil)
	if !errors.Is(err, ErrNoServer) {
		t.Errorf("nothing by redis+cluster://: %v", err)
	}
	mustNotTell(t, err, secret)
}

// TestClusterHidden has a server say only by MOVED that it is a node of a cluster.
func TestClusterHidden(t *testing.T) {
	addr := fakeRedis(t, func(args []string) string {
		switch args[0] {
		case "ping":
			return "+PONG"
		case "evalsha":
			return "-MOVED 1 127.0.0.1:1"
		default:
			return "-ERR unknown command"
		}
	})
	_, err := mustOpen(t, "redis://"+addr).Run(t.Context(), join, []string{"k"}, "a")
	if !errors.Is(err, ErrURL) || !strings.Contains(err.Error(), "redis+cluster://") {
		t.Errorf("got %v", err)
	}
}

// TestClusterListen publishes until it is heard, before and after what may happen to a channel's slot.
func TestClusterListen(t *testing.T) {
	servers := redistest.StartCluster(t, 3, 1)
	rdb := mustOpen(t, servers.URL())
	keys := keysOfMasters(servers, 3)
	var ears []*ear
	for _, key := range keys {
		e := newEar()
		e.stop = rdb.Listen(key+":inbox", e.listener())
		ears = append(ears, e)
	}
	all := func(t *testing.T) {
		t.Helper()
		for i, key := range keys {
			ears[i].mustHear(t, rdb, key+":inbox", "SPUBLISH")
		}
	}
	all(t)
	rdb.listening.mu.Lock()
	if n := len(rdb.listening.servers); n != 3 {
		t.Errorf("%d connections to 3 masters", n)
	}
	rdb.listening.mu.Unlock()

	ups, downs := ears[0].ups.Load(), ears[0].downs.Load()
	servers.MoveSlot(keys[0])
	eventually(t, "the move is told", func() bool { return ears[0].downs.Load() > downs && ears[0].ups.Load() > ups })
	all(t)
	downs = ears[1].downs.Load()
	servers.Failover(keys[1])
	eventually(t, "the failover is told", func() bool { return ears[1].downs.Load() > downs })
	all(t)
	downs = ears[2].downs.Load()
	servers.MasterOf(keys[2]).Kill()
	eventually(t, "the loss is told", func() bool { return ears[2].downs.Load() > downs })
	all(t)
	for _, e := range ears {
		e.stop()
	}
}

// ear counts what it hears.
type ear struct {
	heard      chan string
	ups, downs atomic.Int64
	stop       func()
}

func newEar() *ear { return &ear{heard: make(chan string, 1000)} }

func (e *ear) listener() Listener {
	return Listener{
		Message: func(payload string) { e.heard <- payload },
		State: func(up bool) {
			if up {
				e.ups.Add(1)
			} else {
				e.downs.Add(1)
			}
		},
	}
}

// mustHear publishes by a script until it is received by somebody, and waits until it is heard. Several tries are needed
// only while the subscription is on its way.
func (e *ear) mustHear(t *testing.T, rdb *Client, channel, verb string) {
	t.Helper()
	say := NewScript("say", `return redis.call(ARGV[1], KEYS[1], ARGV[2])`)
	payload := fmt.Sprint(time.Now().UnixNano())
	eventually(t, channel+" is heard", func() bool {
		if _, err := rdb.Run(t.Context(), say, []string{channel}, verb, payload); err != nil {
			t.Fatal(err)
		}
		for {
			select {
			case got := <-e.heard:
				if got == payload {
					return true
				}
			default:
				return false
			}
		}
	})
}

// TestClusterTLS has a cluster of one node, which tells of itself by the port that takes TLS.
func TestClusterTLS(t *testing.T) {
	server := redistest.StartTLS(t, redistest.RequireClientCert, "cluster-enabled yes\ncluster-announce-ip 127.0.0.1")
	ctx := t.Context()
	if err := server.Redis().ClusterAddSlotsRange(ctx, 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the cluster is up", func() bool {
		return strings.Contains(server.Redis().ClusterInfo(ctx).Val(), "cluster_state:ok")
	})
	certificates := url.Values{"ca": {server.CAFile}, "cert": {server.CertFile}, "key": {server.KeyFile}}.Encode()
	address := "rediss+cluster://" + server.Addr() + "?" + certificates
	rdb := mustOpen(t, address)
	if n, err := rdb.Run(ctx, join, []string{"k"}, "first"); n != int64(1) || err != nil {
		t.Errorf("Run: %v, %v", n, err)
	}
	heard := make(chan string, 1)
	up := make(chan struct{})
	stop := rdb.Listen("channel", Listener{Message: func(text string) { heard <- text }, State: func(bool) { close(up) }})
	defer stop()
	<-up
	if err := server.Redis().SPublish(ctx, "channel", "message").Err(); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != "message" {
		t.Errorf("heard %q", got)
	}
	if _, err := Open(ctx, strings.Replace(address, "rediss", "redis", 1), nil); !errors.Is(err, ErrURL) {
		t.Errorf("certificates without TLS: %v, want ErrURL", err)
	}
	if _, err := Open(ctx, "rediss+cluster://"+server.Addr(), nil); !errors.Is(err, ErrNoServer) {
		t.Errorf("without certificates: %v, want ErrNoServer", err)
	}
}
