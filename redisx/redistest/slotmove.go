package redistest

import (
	"context"
	"fmt"
)

const moveTimeout = 10_000 // ms, for one MIGRATE

// SlotMove is a slot on its way from one master to another. Until it is finished, keys that have moved already are
// asked for with ASK, and commands on keys of both kinds get TRYAGAIN.
type SlotMove struct {
	From, To *Server

	c        *Cluster
	slot     int
	from, to string // ids
}

// MoveSlot moves the slot of a key with all its keys to another master, which it returns once all nodes know.
func (c *Cluster) MoveSlot(key string) *Server {
	c.t.Helper()
	m := c.BeginMove(key)
	m.Finish()
	return m.To
}

// BeginMove opens the slot of a key for moving to another master. No key moves before MoveKeys or Finish.
func (c *Cluster) BeginMove(key string) *SlotMove {
	c.t.Helper()
	m := &SlotMove{c: c, slot: c.SlotOf(key), From: c.MasterOf(key)}
	for _, node := range c.nodes {
		if node == m.From || !node.answers() {
			continue
		}
		own, err := ownLine(node)
		if err != nil {
			c.t.Fatal(err)
		}
		if own.masterID == "" && len(own.slots) > 0 {
			m.To, m.to = node, own.id
			break
		}
	}
	if m.To == nil {
		c.t.Fatalf("redistest: the slot of %q cannot move: the cluster has no other master that runs", key)
	}
	own, err := ownLine(m.From)
	if err != nil {
		c.t.Fatal(err)
	}
	m.from = own.id
	c.do(m.To, "cluster", "setslot", m.slot, "importing", m.from)
	c.do(m.From, "cluster", "setslot", m.slot, "migrating", m.to)
	return m
}

// MoveKeys moves up to n keys, and returns how many it has moved.
func (m *SlotMove) MoveKeys(n int) int {
	m.c.t.Helper()
	ctx := context.Background()
	keys, err := m.From.admin.ClusterGetKeysInSlot(ctx, m.slot, n).Result()
	if err != nil {
		m.c.t.Fatalf("redistest: the keys of slot %d: %v", m.slot, err)
	}
	if len(keys) == 0 {
		return 0
	}
	args := []any{"migrate", "127.0.0.1", m.To.port, "", 0, moveTimeout, "keys"}
	for _, key := range keys {
		args = append(args, key)
	}
	m.c.do(m.From, args...)
	return len(keys)
}

// Finish moves the keys that are left, and gives the slot to its new master. It returns when all nodes know.
func (m *SlotMove) Finish() {
	m.c.t.Helper()
	// Once the slot is empty it stays so: a command on keys that are missing is sent on.
	for more := true; more; {
		more = m.MoveKeys(100) > 0
	}
	// The new master comes first, so that the slot is never without one.
	m.c.do(m.To, "cluster", "setslot", m.slot, "node", m.to)
	m.c.do(m.From, "cluster", "setslot", m.slot, "node", m.to)
	await(m.c.t, fmt.Sprintf("all know the new master of slot %d", m.slot), func() error {
		v, err := m.c.view()
		if err != nil {
			return err
		}
		for node, lines := range v.nodes {
			for _, line := range lines {
				if line.has(m.slot) && line.id != m.to {
					return fmt.Errorf("%s believes that %s has it", node.Addr(), line.addr)
				}
			}
		}
		return v.well()
	})
}
