package redisx

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"github.com/netspaces/netspaces/redisx/redistest"
)

func TestListen(t *testing.T) {
	s := redistest.Start(t)
	for name, url := range map[string]string{"redis": s.URL(), "embedded": "mem://"} {
		t.Run(name, func(t *testing.T) {
			rdb := mustOpen(t, url)
			e := newEar()
			stop := rdb.Listen("inbox", e.listener())
			e.mustHear(t, rdb, "inbox", "PUBLISH")
			stop()
			stop()
			eventually(t, "nobody listens", func() bool {
				return rdb.Redis().PubSubNumSub(t.Context(), "inbox").Val()["inbox"] == 0
			})
		})
	}
}

// TestListenInOrder stops and starts so quickly that orders overtake each other if they can.
func TestListenInOrder(t *testing.T) {
	rdb := mustOpen(t, redistest.Start(t).URL())
	keep := newEar()
	defer rdb.Listen("other", keep.listener())()
	for range 200 {
		rdb.Listen("inbox", newEar().listener())()
	}
	first, e := newEar(), newEar()
	stopFirst := rdb.Listen("inbox", first.listener())
	stop := rdb.Listen("inbox", e.listener()) // beside the one before
	e.mustHear(t, rdb, "inbox", "PUBLISH")
	first.mustHear(t, rdb, "inbox", "PUBLISH")
	keep.mustHear(t, rdb, "other", "PUBLISH")
	late := newEar()
	stopLate := rdb.Listen("inbox", late.listener())
	eventually(t, "one that comes later is told, too", func() bool { return late.ups.Load() == 1 })
	for _, e := range []*ear{first, e, late} {
		if ups, downs := e.ups.Load(), e.downs.Load(); ups != 1 || downs != 0 {
			t.Errorf("told %d times that it is up, %d times that it is not", ups, downs)
		}
	}
	stopFirst()
	stopLate()
	e.mustHear(t, rdb, "inbox", "PUBLISH")
	stop()
	for range 200 {
		rdb.Listen("inbox", newEar().listener())()
	}
	eventually(t, "nobody listens", func() bool {
		return rdb.Redis().PubSubNumSub(t.Context(), "inbox").Val()["inbox"] == 0
	})
}

// TestListenAgain cuts the subscription.
func TestListenAgain(t *testing.T) {
	s := redistest.Start(t)
	rdb := mustOpen(t, s.URL())
	a, b := newEar(), newEar()
	defer rdb.Listen("a", a.listener())()
	defer rdb.Listen("b", b.listener())()
	hear := func() {
		t.Helper()
		a.mustHear(t, rdb, "a", "PUBLISH")
		b.mustHear(t, rdb, "b", "PUBLISH")
	}
	hear()
	if err := s.Redis().ClientKillByFilter(t.Context(), "TYPE", "pubsub").Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the loss is told", func() bool { return a.downs.Load() == 1 && b.downs.Load() == 1 })
	hear()
	s.Restart()
	hear()
	if a.ups.Load() < 3 || b.ups.Load() < 3 {
		t.Errorf("told %d and %d times that it is up again", a.ups.Load(), b.ups.Load())
	}
}

// TestListenRefused has one channel refused, which does not disturb the other.
func TestListenRefused(t *testing.T) {
	s := redistest.Start(t)
	if err := s.Redis().Do(t.Context(), "ACL", "SETUSER", "bob", "on", ">"+secret, "+@all", "~*", "&mine").Err(); err != nil {
		t.Fatal(err)
	}
	var dials atomic.Int32
	rdb, err := Open(t.Context(), "redis://bob:"+secret+"@"+s.Addr(), &Options{
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dials.Add(1)
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rdb.Close() }()
	mine, theirs := newEar(), newEar()
	defer rdb.Listen("theirs", theirs.listener())()
	defer rdb.Listen("mine", mine.listener())()
	mine.mustHear(t, rdb, "mine", "PUBLISH")
	if theirs.ups.Load() != 0 || mine.ups.Load() != 1 {
		t.Errorf("up: %d refused, %d allowed", theirs.ups.Load(), mine.ups.Load())
	}
	if dials.Load() == 0 {
		t.Error("Options.Dial was not used")
	}
}
