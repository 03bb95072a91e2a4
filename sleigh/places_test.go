package sleigh_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// placesOf opens a handle for each of some keepers of a team.
func placesOf(t *testing.T, rdb *redisx.Client, team *workspace.Workspace, keepers int, lease time.Duration, least int) []*sleigh.Places {
	t.Helper()
	var all []*sleigh.Places
	for range keepers {
		own, err := workspace.Use(t.Context(), rdb, team.Name(), false)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = own.Close() })
		all = append(all, sleigh.NewPlaces(own, lease, 2, least))
	}
	return all
}

// teamOf is a workspace as that of a sleigh, which is gone with the test.
func teamOf(t *testing.T, rdb *redisx.Client) *workspace.Workspace {
	t.Helper()
	own, err := workspace.OpenTemporary(t.Context(), rdb, "places-%d", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = own.Close() })
	return own
}

func wantRanks(t *testing.T, got []int, err error, want ...int) {
	t.Helper()
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got the ranks %v, %v; want %v", got, err, want)
	}
}

// TestS12RanksAtOnce has many take ranks at the same time: each gets one of its own, and no number is left out.
func TestS12RanksAtOnce(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		const keepers = 30
		var mu sync.Mutex
		var all []int
		var taking sync.WaitGroup
		for _, p := range placesOf(t, rdb, teamOf(t, rdb), keepers, time.Minute, 3) {
			taking.Go(func() {
				ranks, err := p.Take(testContext(t), 1)
				if err != nil || len(ranks) != 1 {
					t.Errorf("got %v, %v", ranks, err)
				}
				mu.Lock()
				defer mu.Unlock()
				all = append(all, ranks...)
			})
		}
		taking.Wait()
		slices.Sort(all)
		for i, rank := range all {
			if rank != i {
				t.Fatalf("the ranks are %v", all)
			}
		}
		if len(all) != keepers {
			t.Errorf("%d ranks", len(all))
		}
	})
}

// TestS12LowestRank takes and gives back ranks: the lowest free one comes first.
func TestS12LowestRank(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		ctx := testContext(t)
		all := placesOf(t, rdb, teamOf(t, rdb), 2, time.Minute, 2)
		one, other := all[0], all[1]
		wantHeads := func(want [3]int) {
			t.Helper()
			if there, gone, err := one.Look(ctx); err != nil || there != want || len(gone) > 0 {
				t.Errorf("there are %v, gone are %v, %v; want %v", there, gone, err, want)
			}
		}
		got, err := one.Take(ctx, 3)
		wantRanks(t, got, err, 0, 1, 2)
		got, err = other.Take(ctx, 2)
		wantRanks(t, got, err, 3, 4)
		wantHeads([3]int{5, 10, 5})
		for _, rank := range []int{0, 2} {
			if err := one.Leave(ctx, rank); err != nil {
				t.Error(err)
			}
		}
		if err := one.Leave(ctx, 3); err != nil { // which is the other's
			t.Error(err)
		}
		wantHeads([3]int{3, 6, 5})
		got, err = other.Take(ctx, 3)
		wantRanks(t, got, err, 0, 2, 5)
		wantHeads([3]int{6, 12, 6})
	})
}

// TestS12RankLapses has a keeper vanish: its ranks go to others when its lease has ended; should it come back, it learns
// which it has lost, and keeps the others.
func TestS12RankLapses(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		ctx := testContext(t)
		own := teamOf(t, rdb)
		vanished, stays := placesOf(t, rdb, own, 1, time.Second, 1)[0], placesOf(t, rdb, own, 1, time.Minute, 1)[0]
		got, err := vanished.Take(ctx, 2)
		wantRanks(t, got, err, 0, 1)
		var gone []int
		eventually(t, "the lease ends", func() bool {
			_, gone, err = stays.Look(ctx)
			return err != nil || len(gone) > 0
		})
		wantRanks(t, gone, err, 0, 1)
		got, err = stays.Take(ctx, 1)
		wantRanks(t, got, err, 0)
		lost, err := vanished.Renew(ctx, 0, 1)
		wantRanks(t, lost, err, 0)
		got, err = stays.Take(ctx, 1)
		wantRanks(t, got, err, 2)
	})
}
