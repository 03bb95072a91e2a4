package workspacetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

var memoryTests = []test{
	{"MemoryShortStoreChangesNothing", memoryShortStoreChangesNothing},
	{"MemoryShortFetchWorks", memoryShortFetchWorks},
	{"MemoryShortLaneIsEmptied", memoryShortLaneIsEmptied},
	{"MemoryShortCancelWorks", memoryShortCancelWorks},
	{"MemoryShortSettle", memoryShortSettle},
	{"MemoryShortDeleteWorks", memoryShortDeleteWorks},
	{"MemoryShortOwnerKeeps", memoryShortOwnerKeeps},
}

// full leaves Redis no memory for anything more, until the returned function is called.
func (s *site) full() (relieve func()) {
	s.Helper()
	rdb := s.admin
	s.must(rdb.ConfigSet(s.ctx, "maxmemory-policy", "noeviction").Err())
	s.must(rdb.ConfigSet(s.ctx, "maxmemory", "1").Err())
	relieve = func() { _ = rdb.ConfigSet(context.Background(), "maxmemory", "0").Err() }
	s.Cleanup(relieve)
	return relieve
}

func (s *site) wantOOM(err error) {
	s.Helper()
	if err == nil || !strings.Contains(err.Error(), "OOM") {
		s.Errorf("error %v, want one that says OOM", err)
	}
}

// What was received does not stay in its lane, least of all then.
func memoryShortLaneIsEmptied(s *site) {
	const size = 100_000
	ws := s.open()
	s.store(ws, "v", make([]byte, size))
	s.full()
	var text []byte
	ok, err := ws.TryFetch(s.ctx, "v", &text)
	s.must(err)
	if !ok || len(text) != size {
		s.Fatalf("%d bytes came, %t", len(text), ok)
	}
	kept := 0
	s.eventually(func() bool {
		replies, err := s.admin.HVals(s.ctx, s.key("client", ws.Client())).Result()
		s.must(err)
		kept = len(strings.Join(replies, ""))
		return kept < size
	}, func() string { return fmt.Sprintf("%d bytes are kept", kept) })
}

func memoryShortStoreChangesNothing(s *site) {
	ws := s.open()
	s.store(ws, "v", 1)
	fetch, find := s.fetch(ws, "w"), s.find(ws, "w")
	s.waiting(ws, "w", 1, 1)
	for _, mode := range allModes {
		s.declare(ws, string(mode), mode)
	}
	relieve := s.full()
	before := s.snapshot()
	s.wantOOM(ws.Store(s.ctx, "v", 2))
	s.wantOOM(ws.StoreAll(s.ctx, "w", 3, 4))
	s.wantOOM(ws.Store(s.ctx, "new", 5))
	for _, mode := range allModes {
		s.wantOOM(ws.StoreAll(s.ctx, string(mode), 6, 7))
	}
	s.wantOOM(ws.Declare(s.ctx, "declared", workspace.LIFO))
	s.unchanged(before, s.key("live"))
	relieve()
	s.holds(ws, "v", "1")
	s.store(ws, "w", 8)
	fetch.gets("8")
	find.gets("8")
}

func memoryShortFetchWorks(s *site) {
	const n = 20
	ws := s.open()
	for _, mode := range allModes {
		s.declare(ws, string(mode), mode)
		s.store(ws, string(mode), numbers(n)...)
	}
	s.full()
	for _, mode := range allModes {
		s.find(ws, string(mode)).end()
		first := s.fetch(ws, string(mode))
		first.end()
		s.must(first.err)
		got := append(s.drain(ws, string(mode)), first.value)
		want := n
		if mode == workspace.Single {
			want = 1
		}
		slices.Sort(got)
		if len(slices.Compact(got)) != want {
			s.Errorf("%s gave %q, want %d values", mode, got, want)
		}
	}
}

func memoryShortCancelWorks(s *site) {
	ws := s.open()
	waiters := []*pending{s.fetch(ws, "v"), s.find(ws, "v")}
	s.waiting(ws, "v", 1, 1)
	s.full()
	for _, w := range waiters {
		w.cancel()
		w.fails(context.Canceled)
	}
	s.waiting(ws, "v", 0, 0)
}

// A settle that would store is refused whole; one that only frees memory works.
func memoryShortSettle(s *site) {
	ws := s.open()
	s.declare(ws, "r", workspace.FIFO)
	s.store(ws, "v", 1, 2)
	relieve := s.full()
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 2}) // works, since what is settled without storing frees memory
	before := s.snapshot()
	s.wantOOM(settleAll(s.ctx, claim, "r"))
	s.unchanged(before)
	s.must(claim.Settle(s.ctx, workspace.Outcome{Index: claim.Values[0].Index}))
	relieve()
	s.must(claim.Settle(s.ctx, workspace.Outcome{Index: claim.Values[1].Index, Into: "r", Value: "kept"}))
	s.holds(ws, "r", `"kept"`)
}

func memoryShortDeleteWorks(s *site) {
	ws := s.open()
	s.store(ws, "v", 1)
	s.store(ws, "w", 1)
	fetch, find := s.fetch(ws, "x"), s.find(ws, "y")
	s.waiting(ws, "x", 1, 0)
	s.waiting(ws, "y", 0, 1)
	s.full()
	s.must(ws.DeleteVar(s.ctx, "v"))
	s.must(ws.DeleteVar(s.ctx, "x"))
	fetch.fails(workspace.ErrVarDeleted)
	s.must(workspace.Delete(s.ctx, s.rdb, s.name()))
	find.fails(workspace.ErrNoWorkspace)
	s.noKeyLeft()
}

// An owner that lives is not taken for dead because Redis has no memory for its signs of life, nor is a claim's holder.
func memoryShortOwnerKeeps(s *site) {
	ws := s.openBy(s.client(), &workspace.Options{Lease: 6 * time.Second})
	s.store(ws, "v", 1, 2)
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Lease: time.Minute})
	relieve := s.full()
	if err := claim.Renew(s.ctx, time.Hour); err != nil {
		s.Errorf("renewing a claim: %v", err)
	}
	rdb := s.admin
	renewals, last, lapsed := 0, int64(0), false
	s.eventually(func() bool {
		lease, err := rdb.HGet(s.ctx, s.key("ws"), "lease").Int64()
		s.must(err)
		now, err := rdb.Time(s.ctx).Result()
		s.must(err)
		if lease != last {
			renewals, last = renewals+1, lease
		}
		lapsed = now.UnixMilli() > lease
		return lapsed || renewals > 2
	}, func() string { return "the lease neither ends nor is renewed" })
	if lapsed {
		s.Errorf("the lease of a living owner ended, after %d renewals", renewals)
	}
	relieve()
	other, err := workspace.Open(s.ctx, s.rdb, "other", nil)
	s.must(err)
	s.must(other.Close())
	s.must(ws.Store(s.ctx, "v", 3))
}
