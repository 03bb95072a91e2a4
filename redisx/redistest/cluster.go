package redistest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const slotCount = 16384

// clusterConfig makes failovers quick: a master that does not answer for 2 s is replaced some 1 to 2 s later.
var clusterConfig = []string{
	"cluster-enabled yes",
	"cluster-node-timeout 2000",
	"cluster-announce-ip 127.0.0.1",
	"cluster-allow-replica-migration no",
}

// Cluster is a Redis Cluster. Which of its nodes are masters changes with failovers.
type Cluster struct {
	t     testing.TB
	nodes []*Server
}

// StartCluster starts a cluster, in which each master has as many replicas as stated. Lines of config are added to the
// configuration of each node. It takes more than 2 seconds, since a new master waits that long before it serves.
func StartCluster(t testing.TB, masters, replicas int, config ...string) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	l := layout{scheme: "redis", bus: true, config: func(port int) []string {
		return append(plainConfig(port), clusterConfig...)
	}}
	for range masters * (1 + replicas) {
		c.nodes = append(c.nodes, launch(t, l, config))
	}
	c.form(masters)
	c.WaitOK()
	return c
}

// form makes the first nodes masters, with as many slots each, and gives them the others as replicas.
func (c *Cluster) form(masters int) {
	c.t.Helper()
	ctx := context.Background()
	for i, node := range c.nodes {
		// Of the same epoch, they would take others one after the other, and one who has not heard of that is not voted for.
		c.do(node, "cluster", "set-config-epoch", i+1)
	}
	for i, node := range c.nodes[:masters] {
		c.do(node, "cluster", "addslotsrange", i*slotCount/masters, (i+1)*slotCount/masters-1)
	}
	ids := make([]string, len(c.nodes))
	for i, node := range c.nodes {
		var err error
		if ids[i], err = node.admin.ClusterMyID(ctx).Result(); err != nil {
			c.t.Fatalf("redistest: the id of %s: %v", node.Addr(), err)
		}
		// All meet all, so that nothing waits for gossip.
		for _, other := range c.nodes[:i] {
			c.do(node, "cluster", "meet", "127.0.0.1", other.port)
		}
	}
	for i, node := range c.nodes[masters:] {
		master := ids[i%masters]
		await(c.t, "the replica "+node.Addr()+" knows its master", func() error {
			return node.admin.ClusterReplicate(ctx, master).Err()
		})
	}
	await(c.t, "the cluster has its replicas", func() error {
		replicas := 0
		for _, node := range c.nodes {
			own, err := ownLine(node)
			if err != nil {
				return err
			}
			if own.masterID != "" {
				replicas++
			}
		}
		return want("replicas", replicas, len(c.nodes)-masters)
	})
}

// do sends a command to a node by its socket.
func (c *Cluster) do(node *Server, args ...any) {
	c.t.Helper()
	if err := node.admin.Do(context.Background(), args...).Err(); err != nil {
		c.t.Fatalf("redistest: %v on %s: %v", args, node.Addr(), err)
	}
}

// URL is the address of the cluster in the form that redisx.Open takes, with all nodes.
func (c *Cluster) URL() string {
	addrs := make([]string, len(c.nodes))
	for i, node := range c.nodes {
		addrs[i] = node.Addr()
	}
	return "redis+cluster://" + strings.Join(addrs, ",")
}

// Nodes are all servers of the cluster, whether they run or not.
func (c *Cluster) Nodes() []*Server { return slices.Clone(c.nodes) }

// SlotOf is the slot of a key.
func (c *Cluster) SlotOf(key string) int {
	c.t.Helper()
	for _, node := range c.nodes {
		if node.answers() {
			slot, err := node.admin.ClusterKeySlot(context.Background(), key).Result()
			if err != nil {
				c.t.Fatalf("redistest: the slot of %q: %v", key, err)
			}
			return int(slot)
		}
	}
	c.t.Fatal("redistest: no node of the cluster runs")
	return 0
}

// MasterOf is the server that has a key's slot, by its own account. If that is down, MasterOf waits for the failover.
func (c *Cluster) MasterOf(key string) *Server {
	c.t.Helper()
	slot := c.SlotOf(key)
	var master *Server
	await(c.t, fmt.Sprintf("slot %d has a master", slot), func() error {
		v, err := c.view()
		if err != nil {
			return err
		}
		if master = v.owner(slot); master == nil {
			return fmt.Errorf("nobody that runs claims slot %d", slot)
		}
		return nil
	})
	return master
}

// ReplicasOf are the replicas of a key's master that run.
func (c *Cluster) ReplicasOf(key string) []*Server {
	c.t.Helper()
	master, err := ownLine(c.MasterOf(key))
	if err != nil {
		c.t.Fatal(err)
	}
	var replicas []*Server
	for _, node := range c.nodes {
		if !node.answers() {
			continue
		}
		if own, err := ownLine(node); err == nil && own.masterID == master.id {
			replicas = append(replicas, node)
		}
	}
	return replicas
}

// WaitOK waits until the nodes that run say that the cluster is well and agree on the masters of all slots, which run
// too, and all replicas follow their masters. After a Kill that includes the failover, after a Restart that the node
// has found its place.
//
// A master that is killed takes with it what its replicas have not received yet; a test that must not lose anything
// waits for that by WAIT, or uses Failover.
func (c *Cluster) WaitOK() {
	c.t.Helper()
	await(c.t, "the cluster is well", func() error {
		v, err := c.view()
		if err != nil {
			return err
		}
		return v.well()
	})
}

// Failover has a replica take over from the master of a key. No write is lost. It returns the new master once all
// agree.
func (c *Cluster) Failover(key string) *Server {
	c.t.Helper()
	old := c.MasterOf(key)
	replicas := c.ReplicasOf(key)
	if len(replicas) == 0 {
		c.t.Fatalf("redistest: %s has no replica that runs", old.Addr())
	}
	// The election may come to nothing, if other nodes do not vote in time. Redis gives a try 5 s; asked again before, it
	// begins anew.
	const tryFor = 6 * time.Second
	var asked time.Time
	await(c.t, replicas[0].Addr()+" takes over", func() error {
		own, err := ownLine(replicas[0])
		if err != nil || own.masterID == "" {
			return err
		}
		if time.Since(asked) > tryFor {
			if err := replicas[0].admin.ClusterFailover(context.Background()).Err(); err != nil {
				return err
			}
			asked = time.Now()
		}
		return fmt.Errorf("it is a replica of %s", own.masterID)
	})
	c.WaitOK()
	return replicas[0]
}

func want(what string, got, want int) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("%d %s, want %d", got, what, want)
}
