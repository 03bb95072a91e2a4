package workspace_test

import (
	"testing"

	"github.com/netspaces/netspaces/redisx/redistest"
)

// TestUpheaval has servers change places, restart and forget while many calls are under way.
func TestUpheaval(t *testing.T) {
	needRedis(t)
	backend(t, "SentinelFailover", func(t *testing.T) {
		servers := redistest.StartSentinel(t)
		steadySentinels(t, servers)
		calls := startTraffic(t, servers.URL())
		servers.Failover()
		calls.goesOn()
		calls.end()
	})
	backend(t, "ClusterFailover", func(t *testing.T) {
		cluster := redistest.StartCluster(t, 3, 1, steady)
		calls := startTraffic(t, cluster.URL())
		cluster.Failover(calls.key())
		calls.goesOn()
		calls.end()
	})
	backend(t, "ClusterMovedSlot", func(t *testing.T) {
		cluster := redistest.StartCluster(t, 3, 0, steady)
		calls := startTraffic(t, cluster.URL())
		cluster.MoveSlot(calls.key()) // all at once
		calls.goesOn()
		move := cluster.BeginMove(calls.key()) // one key by one
		for move.MoveKeys(1) > 0 && !calls.retries.saw("TRYAGAIN") {
			continue
		}
		calls.eventually(func() bool { return calls.retries.saw("TRYAGAIN") },
			func() string { return "nobody noticed that a slot moves" })
		move.Finish()
		calls.goesOn()
		calls.end()
	})
	backend(t, "ScriptFlush", func(t *testing.T) {
		server := redistest.Start(t)
		calls := startTraffic(t, server.URL())
		for range 20 {
			calls.must(server.Redis().ScriptFlush(calls.ctx).Err())
			calls.goesOn()
		}
		calls.end()
	})
	backend(t, "Restart", func(t *testing.T) {
		server := redistest.Start(t, redistest.AppendOnly)
		calls := startTraffic(t, server.URL())
		for range 2 {
			server.Kill()
			server.Restart()
			calls.goesOn()
		}
		calls.end()
	})
	backend(t, "Pause", func(t *testing.T) {
		server := redistest.Start(t)
		calls := startTraffic(t, server.URL()+"?read_timeout=300ms")
		server.Pause()
		calls.eventually(func() bool { return calls.retries.saw("timeout") },
			func() string { return "no call came too late" })
		server.Resume() // it now runs what was sent twice
		calls.goesOn()
		calls.end()
	})
}
