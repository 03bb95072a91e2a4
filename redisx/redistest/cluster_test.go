package redistest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

func clusterClient(t *testing.T, c *Cluster) *redis.ClusterClient {
	t.Helper()
	addrs := strings.Split(strings.TrimPrefix(c.URL(), "redis+cluster://"), ",")
	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, MaxRedirects: 8})
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// TestCluster goes through the life of one cluster, since starting one takes seconds.
func TestCluster(t *testing.T) {
	t.Parallel()
	c := StartCluster(t, 3, 1, AppendOnly)
	rdb := clusterClient(t, c)

	t.Run("all slots take keys", func(t *testing.T) {
		if n := len(c.Nodes()); n != 6 {
			t.Fatalf("%d nodes", n)
		}
		masters := map[*Server]bool{}
		for i := range 60 {
			key := fmt.Sprint("key", i)
			must(t, rdb.Set(t.Context(), key, i, 0).Err())
			masters[c.MasterOf(key)] = true
			wantValue(t, c.MasterOf(key).Redis(), key, fmt.Sprint(i))
		}
		if len(masters) != 3 {
			t.Errorf("60 keys lie on %d masters", len(masters))
		}
	})

	t.Run("a slot moves with its keys", func(t *testing.T) {
		for i := range 250 {
			must(t, rdb.Set(t.Context(), fmt.Sprint("{moved}", i), i, 0).Err())
		}
		old := c.MasterOf("{moved}")
		m := c.MoveSlot("{moved}")
		if m == old || c.MasterOf("{moved}") != m {
			t.Fatalf("moved from %s to %s, and the master is %s", old.Addr(), m.Addr(), c.MasterOf("{moved}").Addr())
		}
		for i := range 250 {
			wantValue(t, m.Redis(), fmt.Sprint("{moved}", i), fmt.Sprint(i))
		}
		if err := old.Redis().Get(t.Context(), "{moved}1").Err(); !redis.HasErrorPrefix(err, "MOVED") {
			t.Errorf("the old master says %v", err)
		}
		c.WaitOK()
	})

	t.Run("half of a slot has moved", func(t *testing.T) {
		must(t, rdb.MSet(t.Context(), "{half}1", "a", "{half}2", "b").Err())
		m := c.BeginMove("{half}")
		if n := m.MoveKeys(1); n != 1 {
			t.Fatalf("%d keys have moved", n)
		}
		if err := m.From.Redis().MGet(t.Context(), "{half}1", "{half}2").Err(); !redis.HasErrorPrefix(err, "TRYAGAIN") {
			t.Errorf("keys on both sides: %v", err)
		}
		if err := m.From.Redis().Get(t.Context(), "{half}3").Err(); !redis.HasErrorPrefix(err, "ASK") {
			t.Errorf("a key that is missing: %v", err)
		}
		m.Finish()
		if c.MasterOf("{half}") != m.To {
			t.Error("the slot has not moved")
		}
		wantValue(t, m.To.Redis(), "{half}1", "a")
		wantValue(t, m.To.Redis(), "{half}2", "b")
	})

	t.Run("a replica takes over", func(t *testing.T) {
		must(t, rdb.Set(t.Context(), "k", "v", 0).Err())
		old := c.MasterOf("k")
		replicas := c.ReplicasOf("k")
		if len(replicas) != 1 {
			t.Fatalf("%d replicas", len(replicas))
		}
		if m := c.Failover("k"); m != replicas[0] || c.MasterOf("k") != m {
			t.Fatalf("%s took over, and the master is %s", m.Addr(), c.MasterOf("k").Addr())
		}
		if r := c.ReplicasOf("k"); len(r) != 1 || r[0] != old {
			t.Error("the old master is no replica of the new one")
		}
		wantValue(t, rdb, "k", "v")
	})

	t.Run("a killed master is replaced and comes back", func(t *testing.T) {
		old := c.MasterOf("k")
		conn := old.Redis().Conn()
		defer conn.Close()
		must(t, conn.Set(t.Context(), "k", "w", 0).Err())
		if n := conn.Wait(t.Context(), 1, patience).Val(); n != 1 {
			t.Fatalf("%d replicas have it", n)
		}
		old.Kill()
		m := c.MasterOf("k")
		if m == old {
			t.Fatal("the master is one that was killed")
		}
		c.WaitOK()
		wantValue(t, m.Redis(), "k", "w")
		old.Restart()
		c.WaitOK()
		if r := c.ReplicasOf("k"); c.MasterOf("k") != m || len(r) != 1 || r[0] != old {
			t.Errorf("the master is %s, want %s; replicas %d", c.MasterOf("k").Addr(), m.Addr(), len(r))
		}
	})

	t.Run("a paused master is replaced and comes back", func(t *testing.T) {
		old := c.MasterOf("k")
		old.Pause()
		m := c.MasterOf("k")
		c.WaitOK()
		old.Resume()
		c.WaitOK()
		if r := c.ReplicasOf("k"); m == old || len(r) != 1 || r[0] != old {
			t.Errorf("the master is %s, before %s; replicas %d", m.Addr(), old.Addr(), len(r))
		}
	})
}

func TestClusterWithoutReplicas(t *testing.T) {
	t.Parallel()
	c := StartCluster(t, 3, 0)
	must(t, clusterClient(t, c).Set(t.Context(), "k", "v", 0).Err())
	if r := c.ReplicasOf("k"); len(r) != 0 {
		t.Errorf("%d replicas", len(r))
	}
	v, err := c.view()
	must(t, err)
	c.MasterOf("k").Kill()
	if len(v.nodes) != 3 {
		t.Errorf("%d nodes seen", len(v.nodes))
	}
	v, err = c.view()
	must(t, err)
	if err := v.well(); err == nil {
		t.Error("a cluster without one of its masters counts as well")
	}
}

func TestParseNodeLine(t *testing.T) {
	got, err := parseNodeLine("07c37d 127.0.0.1:30004@31004,host myself,slave e7d1ee 0 1426238317239 4 connected 5 7-9 [93-<-292f8b]\n")
	must(t, err)
	if got.id != "07c37d" || got.addr != "127.0.0.1:30004" || got.masterID != "e7d1ee" || !got.self || got.epoch != 4 ||
		!got.has(5) || got.has(6) || !got.has(7) || !got.has(9) || got.has(93) {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{"", "a b c", "id addr flags - 0 0 x connected", "id addr flags - 0 0 1 connected x-y"} {
		if _, err := parseNodeLine(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
