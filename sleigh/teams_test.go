package sleigh_test

import (
	"os"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// TestS12Teams lists sleighs of both kinds among other workspaces.
func TestS12Teams(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		began := time.Now()
		ctx := testContext(t)
		tag := t.Name()[len("TestS12Teams/"):]
		other, err := workspace.Open(ctx, rdb, "weather "+tag, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = other.Close() }()
		s := start(t, rdb, &sleigh.Options{Name: "a team " + tag, Launch: sleigh.InProcess(2), Slots: 3})
		disband(t, rdb, "lasts "+tag)
		join(t, rdb, "lasts "+tag, nil)
		awaitRanks(t, s, 0, 1)
		job, err := wait.Submit(ctx, s, upTo(4), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer job.Cancel()

		all, err := sleigh.Teams(ctx, rdb)
		if err != nil {
			t.Fatal(err)
		}
		at := map[string]sleigh.TeamInfo{}
		for _, team := range all {
			at[team.Name] = team
		}
		a, lasts := at[s.Name()], at["lasts "+tag]
		if a.Lasts || a.Workers != 2 || a.Slots != 6 || a.Jobs != 1 || a.Master.PID != os.Getpid() || a.Since.Before(began) {
			t.Errorf("the one that was started is %+v", a)
		}
		if lasts.Name == "" || !lasts.Lasts || lasts.Workers != 0 || lasts.Slots != 0 || lasts.Jobs != 0 || lasts.Master.PID != 0 || lasts.Since.Before(began) {
			t.Errorf("the one that was joined is %+v", lasts)
		}
		for name := range at {
			if name == other.Name() || name == s.User().Name() {
				t.Errorf("%s is no team", name)
			}
		}
	})
}
