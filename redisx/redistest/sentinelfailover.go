package redistest

import (
	"context"
	"errors"
	"fmt"
)

// Failover has the Sentinels make a replica the master, and returns it once all agree and the old master is its
// replica.
//
// No write is lost: clients that write wait meanwhile, for some seconds at most. The connections of all clients to the
// old master are then broken, as Sentinels do it. By themselves they would leave the old master writable for a while.
func (s *Sentinel) Failover() *Server {
	s.t.Helper()
	ctx := context.Background()
	s.WaitOK()
	old := s.Master()
	// A master that is made to wait does not answer to Sentinels either, which must not take it for dead.
	s.setAll("down-after-milliseconds", pauseLimit)
	s.must(old, old.admin.Do(ctx, "client", "pause", pauseLimit, "write").Err())
	await(s.t, "the replicas have all", func() error { return s.caughtUp(old) })
	await(s.t, "a Sentinel begins the failover", s.begin)
	master := s.successor(old)
	s.must(old, old.admin.ReplicaOf(ctx, "127.0.0.1", fmt.Sprint(master.port)).Err())
	s.must(old, old.admin.ConfigRewrite(ctx).Err())
	s.must(old, old.admin.ClientUnpause(ctx).Err())
	for _, kind := range []string{"normal", "pubsub"} {
		s.must(old, old.admin.ClientKillByFilter(ctx, "type", kind).Err())
	}
	s.setAll("down-after-milliseconds", downAfter)
	s.WaitOK()
	return master
}

func (s *Sentinel) setAll(option string, value int) {
	s.t.Helper()
	for _, w := range s.running() {
		s.set(w, option, value)
	}
}

// begin asks one Sentinel to replace the master.
func (s *Sentinel) begin() error {
	running := s.running()
	if len(running) == 0 {
		return errors.New("no Sentinel runs")
	}
	return running[0].ask.Failover(context.Background(), masterName).Err()
}

// successor waits until all Sentinels agree on another master than old.
func (s *Sentinel) successor(old *Server) *Server {
	s.t.Helper()
	var master *Server
	await(s.t, "the Sentinels agree on a new master", func() (err error) {
		if master, err = s.master(); err == nil && master == old {
			err = fmt.Errorf("it is still %s", old.Addr())
		}
		return err
	})
	return master
}
