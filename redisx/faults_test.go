package redisx

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/netspaces/netspaces/redisx/redistest"
)

// TestRunLosesReplies has single requests and replies get lost.
func TestRunLosesReplies(t *testing.T) {
	s := redistest.Start(t)
	proxy := redistest.StartProxy(t, s.Addr())
	rdb := mustOpen(t, proxy.URL())
	run := func(member string) {
		t.Helper()
		if _, err := rdb.Run(t.Context(), join, []string{"k"}, member); err != nil {
			t.Error(err)
		}
		if is, err := s.Redis().SIsMember(t.Context(), "k", member).Result(); !is || err != nil {
			t.Errorf("%s: %v, %v", member, is, err)
		}
	}
	run("first")
	lost := proxy.LoseReply([]byte("second"))
	run("second")
	<-lost
	lost = proxy.LoseRequest([]byte("third"))
	run("third")
	<-lost

	once, err := Open(t.Context(), proxy.URL(), &Options{Retry: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = once.Close() }()
	lost = proxy.LoseReply([]byte("fourth"))
	_, err = once.Run(t.Context(), join, []string{"k"}, "fourth")
	<-lost
	if err == nil || !strings.Contains(err.Error(), "not known whether") {
		t.Errorf("without trying again: %v", err)
	}
}

// TestListenGoesSilent has the network stop without a word, as when a machine vanishes.
func TestListenGoesSilent(t *testing.T) {
	proxy := redistest.StartProxy(t, redistest.Start(t).Addr())
	rdb := mustOpen(t, proxy.URL())
	e := newEar()
	defer rdb.Listen("inbox", e.listener())()
	e.mustHear(t, rdb, "inbox", "PUBLISH")
	proxy.Freeze()
	eventually(t, "the loss is told", func() bool { return e.downs.Load() == 1 })
	proxy.Thaw()
	e.mustHear(t, rdb, "inbox", "PUBLISH")
}

// TestRunThroughFaults has many requests fail by chance in pipelines.
func TestRunThroughFaults(t *testing.T) {
	s := redistest.Start(t)
	proxy := redistest.StartProxy(t, s.Addr())
	rdb := mustOpen(t, proxy.URL())
	counts, stop := joining(t, rdb, "a", "b", "c", "d")
	defer stop()
	proxy.Faults(1, redistest.Rates{LoseReply: 0.02, LoseRequest: 0.02})
	sum := func(counts []*atomic.Int64) (n int64) {
		for _, c := range counts {
			n += c.Load()
		}
		return n
	}
	eventually(t, "calls go on", func() bool { return sum(counts) > 1000 })
	proxy.Calm()
	if c := proxy.Counts(); c.LostReplies == 0 || c.LostRequests == 0 {
		t.Errorf("too little was lost: %+v", c)
	}
}
