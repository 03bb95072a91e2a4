package sleigh_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// TestS13RedisAway starts workers by hand before there is a team. One of them loses Redis for longer than it tries again and
// than its lease; its tasks go to the other one, and it comes back by itself.
func TestS13RedisAway(t *testing.T) {
	t.Parallel()
	needRedisServer(t)
	server := redistest.Start(t)
	proxy := redistest.StartProxy(t, server.Addr())
	rdb := openAt(t, server.URL())
	disband(t, rdb, "away")
	volunteerAt(t, proxy.URL()+"?retry=1s", "away")
	s := join(t, rdb, "away", &sleigh.Options{Lease: time.Second})
	awaitRanks(t, s, 0)
	volunteer(t, rdb, "away", "NETSPACES_SLOTS=2")
	awaitRanks(t, s, 0, 1)
	ctx := testContext(t)
	own, err := workspace.Use(ctx, rdb, "away", false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = own.Close() }()
	eventually(t, "both wait for tasks, of which each is to have one", func() bool {
		variables, err := own.ListVars(ctx)
		return err == nil && slices.ContainsFunc(variables, func(v workspace.VarInfo) bool { return v.Name == "task" && v.Fetchers == 2 })
	})
	job, err := wait.Submit(ctx, s, upTo(2), &sleigh.JobOptions{Chunk: 1, Attempts: 5, NoCopies: true})
	if err != nil {
		t.Fatal(err)
	}
	begun := map[int]int{}
	for range 2 {
		v := fetch[visit](t, s.User(), "begun")
		begun[v.Rank] = v.Element
	}
	proxy.Refuse()
	if v := fetch[visit](t, s.User(), "begun"); v.Rank != 1 || v.Element != begun[0] { // which has the other one's task now
		t.Errorf("worker %d runs element %d", v.Rank, v.Element)
	}
	eventually(t, "the worker's rank is given up", func() bool { return s.Workers() == 2 && len(ranksOf(t, s)) == 1 })
	time.Sleep(4 * time.Second) // so that all calls of the worker fail, too
	proxy.Allow()
	awaitRanks(t, s, 0, 1)
	openGate(t, s.User())
	if got, err := job.Wait(ctx); err != nil || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := identify.EachWorker(ctx, s, 0); err != nil {
		t.Error(err)
	}
}

// TestS13RedisAwayBefore has a worker that waits for its team lose Redis, too.
func TestS13RedisAwayBefore(t *testing.T) {
	t.Parallel()
	needRedisServer(t)
	server := redistest.Start(t)
	proxy := redistest.StartProxy(t, server.Addr())
	rdb := openAt(t, server.URL())
	disband(t, rdb, "later")
	early := volunteerAt(t, proxy.URL()+"?retry=1s", "later")
	says := func(text string) {
		t.Helper()
		eventually(t, text, func() bool { return strings.Contains(early.stderr.String(), text) })
	}
	says("waiting for the team")
	proxy.Refuse()
	says("Redis is away")
	proxy.Allow()
	s := join(t, rdb, "later", nil)
	awaitRanks(t, s, 0)
}

// TestOutageDuringAResult has Redis be away, for longer than any one request of a worker lasts, while a master settles a result.
func TestOutageDuringAResult(t *testing.T) {
	t.Parallel()
	needRedisServer(t)
	server := redistest.Start(t)
	proxy := redistest.StartProxy(t, server.Addr())
	s := start(t, openAt(t, proxy.URL()), &sleigh.Options{Launch: sleigh.InProcess(1)})
	var once sync.Once
	got, err := square.EachElem(testContext(t), s, upTo(50), &sleigh.JobOptions{Chunk: 1, OnDone: func(int) {
		once.Do(func() {
			proxy.Refuse()
			time.AfterFunc(12*time.Second, proxy.Allow)
		})
	}})
	wantSquares(t, got, err, 50)
}
