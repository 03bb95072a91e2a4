package redistest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// TestSentinel goes through the life of one group of servers, since starting it takes a while.
func TestSentinel(t *testing.T) {
	t.Parallel()
	s := StartSentinel(t, AppendOnly)
	if len(s.Servers()) != 3 || len(s.Sentinels()) != 3 || s.Master() != s.Servers()[0] {
		t.Fatalf("%d servers, %d sentinels, the master is %s", len(s.Servers()), len(s.Sentinels()), s.Master().Addr())
	}
	addrs, name, _ := strings.Cut(strings.TrimPrefix(s.URL(), "redis+sentinel://"), "/")
	rdb := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName: name, SentinelAddrs: strings.Split(addrs, ","), MaxRetries: -1,
	})
	t.Cleanup(func() { _ = rdb.Close() })
	must(t, rdb.Set(t.Context(), "k", "v", 0).Err())
	wantValue(t, s.Master().Redis(), "k", "v")

	t.Run("a failover loses no write", func(t *testing.T) {
		old := s.Master()
		written := make(chan int)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			n := 0
			for ctx.Err() == nil {
				// Each number is written until the write is acknowledged.
				if old.Redis().Set(context.Background(), fmt.Sprint("n", n), n, 0).Err() != nil {
					break
				}
				n++
			}
			written <- n
		}()
		master := s.Failover()
		cancel()
		n := <-written
		if master == old || s.Master() != master || n == 0 {
			t.Fatalf("the master was %s and is %s, after %d writes", old.Addr(), master.Addr(), n)
		}
		for i := range n {
			wantValue(t, master.Redis(), fmt.Sprint("n", i), fmt.Sprint(i))
		}
		if err := old.Redis().Set(t.Context(), "k", "w", 0).Err(); !redis.HasErrorPrefix(err, "READONLY") {
			t.Errorf("the old master says %v to a write", err)
		}
	})

	t.Run("a killed master is replaced and comes back", func(t *testing.T) {
		old := s.Master()
		conn := old.Redis().Conn()
		defer conn.Close()
		must(t, conn.Set(t.Context(), "k", "w", 0).Err())
		if n := conn.Wait(t.Context(), 2, patience).Val(); n != 2 {
			t.Fatalf("%d replicas have it", n)
		}
		old.Kill()
		master := s.Master()
		if master == old {
			t.Fatal("the master is one that was killed")
		}
		wantValue(t, master.Redis(), "k", "w")
		s.WaitOK()
		old.Restart()
		s.WaitOK()
		if s.Master() != master {
			t.Errorf("the master is %s, want %s", s.Master().Addr(), master.Addr())
		}
		wantValue(t, old.Redis(), "k", "w")
	})

	t.Run("a paused master is replaced and comes back", func(t *testing.T) {
		old := s.Master()
		old.Pause()
		master := s.Master()
		old.Resume()
		s.WaitOK()
		if master == old || s.Master() != master {
			t.Errorf("the master is %s, before %s", master.Addr(), old.Addr())
		}
	})

	t.Run("one Sentinel is not needed", func(t *testing.T) {
		s.Sentinels()[0].Kill()
		old := s.Master()
		s.Failover()
		s.Sentinels()[0].Restart()
		s.WaitOK()
		if s.Master() == old {
			t.Error("the master is the same")
		}
	})
}
