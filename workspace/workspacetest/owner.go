package workspacetest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

var ownerTests = []test{
	{"W3OwnersCloseDeletes", w3OwnersCloseDeletes},
	{"W3OthersCloseDoesNot", w3OthersCloseDoesNot},
	{"W3ClientsCloseDeletes", w3ClientsCloseDeletes},
	{"W3DeadOwner", w3DeadOwner},
	{"W3DeadOwnerThenSameName", w3DeadOwnerThenSameName},
	{"W3DeadOwnerAfterUse", w3DeadOwnerAfterUse},
	{"W3DeadOwnerAfterOpen", w3DeadOwnerAfterOpen},
	{"W3DeadOwnerAfterOpenPersistent", w3DeadOwnerAfterOpenPersistent},
	{"W3DeadOwnerOfManyVariables", w3DeadOwnerOfManyVariables},
	{"W3LivingOwnerKeeps", w3LivingOwnerKeeps},
	{"W3DamageDoesNotStopOthers", w3DamageDoesNotStopOthers},
}

// Sweep deletes the workspaces of all dead owners, those of other tests too.
var sweepTests = []test{
	{"W3DeadOwnerSwept", w3DeadOwnerSwept},
}

func w3OwnersCloseDeletes(s *site) {
	ws := s.open()
	other := s.use(s.client())
	s.store(ws, "v", 1, 2)
	waiters := []*pending{s.fetch(other, "w"), s.find(other, "w")}
	s.waiting(ws, "w", 1, 1)
	s.must(ws.Close())
	for _, w := range waiters {
		w.fails(workspace.ErrNoWorkspace)
	}
	s.keepsFailing(other)
	s.noKeyLeft()
}

func w3OthersCloseDoesNot(s *site) {
	ws := s.open()
	s.store(ws, "v", 1)
	s.must(s.openBy(s.client(), nil).Close())
	s.must(s.use(s.client()).Close())
	s.holds(ws, "v", "1")
}

func w3ClientsCloseDeletes(s *site) {
	rdb := s.client()
	ws := s.openBy(rdb, nil)
	s.store(ws, "v", 1)
	waiter := s.fetch(ws, "w")
	s.waiting(ws, "w", 1, 0)
	s.must(rdb.Close())
	waiter.fails(workspace.ErrClosed)
	s.noKeyLeft()
}

// orphan makes a workspace whose owner dies at once.
func (s *site) orphan(lease time.Duration) (*workspace.Workspace, *proxy) {
	s.Helper()
	rdb, proxy := s.proxied()
	// It may yet list the workspace once more when it is let go at the end of the test.
	s.Cleanup(s.swept)
	ws := s.openBy(rdb, &workspace.Options{Lease: lease})
	s.store(ws, "v", 1)
	s.fetch(ws, "w")
	s.waiting(ws, "w", 1, 0)
	proxy.refuse()
	return ws, proxy
}

// swept opens other workspaces until all keys of dead ones are gone.
func (s *site) swept() {
	s.Helper()
	var keys []string
	s.eventually(func() bool {
		other, err := workspace.Open(s.ctx, s.rdb, "other", nil)
		s.must(err)
		s.must(other.Close())
		keys = s.keys()
		return len(keys) == 0
	}, func() string { return fmt.Sprintf("these keys stay: %q", keys) })
}

// w3DeadOwnerSwept has it deleted without anything else being made.
func w3DeadOwnerSwept(s *site) {
	ws, _ := s.orphan(300 * time.Millisecond)
	var names []string
	s.eventually(func() bool {
		some, err := workspace.Sweep(s.ctx, s.rdb)
		s.must(err)
		names = append(names, some...)
		return len(names) > 0
	}, func() string { return "it stays" })
	if keys := s.keys(); !slices.Equal(names, []string{ws.Name()}) || len(keys) > 0 {
		s.Errorf("%q were deleted, and these keys stay: %q", names, keys)
	}
}

func w3DeadOwner(s *site) {
	ws, proxy := s.orphan(300 * time.Millisecond)
	s.swept()
	proxy.allow()
	s.keepsFailing(ws)
}

func w3DeadOwnerThenSameName(s *site) {
	s.orphan(300 * time.Millisecond)
	s.leaseEnded()
	anew := s.openBy(s.rdb, nil)
	if !anew.Mine() {
		s.Error("the workspace was made anew, and is not its maker's")
	}
	s.holds(anew, "v")
	s.must(anew.Close())
}

func w3DeadOwnerAfterUse(s *site) {
	deadAfter(s, func() (*workspace.Workspace, error) { return workspace.Use(s.ctx, s.rdb, s.name(), true) })
}

func w3DeadOwnerAfterOpen(s *site) {
	deadAfter(s, func() (*workspace.Workspace, error) {
		return workspace.Open(s.ctx, s.rdb, s.name(), &workspace.Options{Lease: time.Hour})
	})
}

func w3DeadOwnerAfterOpenPersistent(s *site) {
	deadAfter(s, func() (*workspace.Workspace, error) {
		return workspace.Open(s.ctx, s.rdb, s.name(), &workspace.Options{Persistent: true})
	})
}

// deadAfter has somebody else open the workspace between the owner's last sign of life and the end of its lease. That
// somebody is not its owner, and so changes nothing of when it ends.
func deadAfter(s *site, open func() (*workspace.Workspace, error)) {
	s.orphan(4 * time.Second)
	other, err := open()
	s.must(err)
	if other.Mine() {
		s.Fatal("the machine is too slow for this test: the lease ended before anybody could open the workspace")
	}
	s.must(other.Close())
	s.swept()
}

func w3DeadOwnerOfManyVariables(s *site) {
	rdb, proxy := s.proxied()
	s.Cleanup(s.swept)
	ws := s.openBy(rdb, &workspace.Options{Lease: 5 * time.Second}) // which it keeps on a slow machine, too
	for i := range 110 {
		s.store(ws, fmt.Sprint("v", i), i)
	}
	proxy.refuse()
	s.swept()
}

// The lease is renewed again and again, and meanwhile others look for workspaces whose owner is dead.
func w3LivingOwnerKeeps(s *site) {
	ws := s.openBy(s.client(), &workspace.Options{Lease: 2 * time.Second})
	s.store(ws, "v", 1)
	renewals, last := 0, ""
	s.eventually(func() bool {
		other, err := workspace.Open(s.ctx, s.rdb, "other", nil)
		s.must(err)
		s.must(other.Close())
		lease, err := s.admin.HGet(s.ctx, s.key("ws"), "lease").Result()
		s.must(err)
		if lease != last {
			renewals, last = renewals+1, lease
		}
		return renewals > 3
	}, func() string { return fmt.Sprintf("%d renewals were seen", renewals) })
	s.holds(ws, "v", "1")
}

// What is wrong with a dead workspace is not the concern of those who open others.
func w3DamageDoesNotStopOthers(s *site) {
	rdb := s.admin
	s.must(rdb.Set(s.ctx, "nws:{damaged}:ws", "not a hash", 0).Err())
	s.must(rdb.Do(s.ctx, "ZADD", "nws:names", 1, "damaged").Err())
	s.Cleanup(func() {
		s.must(rdb.Del(context.Background(), "nws:{damaged}:ws").Err())
		s.must(rdb.ZRem(context.Background(), "nws:names", "damaged").Err())
	})
	ws := s.open()
	s.store(ws, "v", 1)
	s.holds(ws, "v", "1")
	s.must(ws.Close())
}
