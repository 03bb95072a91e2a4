package sleigh_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// visitTo visits a sleigh until the end of the test.
func visitTo(t *testing.T, rdb *redisx.Client, name string) *sleigh.Sleigh {
	t.Helper()
	v, err := sleigh.Visit(testContext(t), rdb, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Stop(context.Background()); err != nil {
			t.Errorf("the visitor's Stop: %v", err)
		}
	})
	return v
}

// TestS12VisitMissing visits what is not there, and workspaces that are no sleighs. Nothing comes of it.
func TestS12VisitMissing(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"mem://", "local://"} {
		t.Run(url, func(t *testing.T) {
			t.Parallel()
			rdb := openAt(t, url) // of its own, so that all keys may be looked at
			ctx := testContext(t)
			for _, name := range []string{"weather", "weather/user"} {
				ws, err := workspace.Open(ctx, rdb, name, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = ws.Close() }()
			}
			before := keysOf(t, rdb, "*")
			for _, name := range []string{"nobody", "default", "weather"} {
				_, err := sleigh.Visit(ctx, rdb, name)
				if !errors.Is(err, sleigh.ErrNoTeam) || !errors.Is(err, workspace.ErrNoWorkspace) || !strings.Contains(err.Error(), name) {
					t.Errorf("Visit of %s: %v", name, err)
				}
			}
			if _, err := sleigh.Visit(ctx, rdb, "{"); err == nil || errors.Is(err, sleigh.ErrNoTeam) {
				t.Errorf("Visit of a bad name: %v", err)
			}
			if teams, err := sleigh.Teams(ctx, rdb); err != nil || teams == nil || len(teams) > 0 {
				t.Errorf("the teams are %v, %v", teams, err)
			}
			wantSameKeys(t, rdb, before)
		})
	}
}

// wantSameKeys checks that Redis has the keys that it had.
func wantSameKeys(t *testing.T, rdb *redisx.Client, before []string) {
	t.Helper()
	slices.Sort(before)
	if after := slices.Sorted(slices.Values(keysOf(t, rdb, "*"))); !slices.Equal(after, before) {
		t.Errorf("there are\n%q\nand were\n%q", after, before)
	}
}

// TestS12VisitLeavesNothing visits an idle team, and looks at all there is.
func TestS12VisitLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"mem://", "local://"} {
		t.Run(url, func(t *testing.T) {
			t.Parallel()
			rdb := openAt(t, url) // of its own, so that all keys may be looked at
			ctx := testContext(t)
			s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(2)})
			awaitRanks(t, s, 0, 1)
			if _, err := square.EachElem(ctx, s, upTo(10), nil); err != nil {
				t.Fatal(err)
			}
			// What was asked for of clients is there by now.
			eventually(t, "the workers have told that they are idle", func() bool {
				st := statusOf(t, s)
				return st.Workers[0].Done+st.Workers[1].Done == 10
			})
			before, vars := keysOf(t, rdb, "*"), variablesOf(t, rdb, s.Name())
			v, err := sleigh.Visit(ctx, rdb, s.Name())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := v.Status(ctx); err != nil {
				t.Error(err)
			}
			if reasons, err := v.Explain(ctx); err != nil || len(reasons) > 0 {
				t.Errorf("it says %v, %v", reasons, err)
			}
			if _, err := v.Finished(ctx); err != nil {
				t.Error(err)
			}
			for _, err := range v.Lines(ctx, false) {
				t.Error(err)
			}
			if err := v.Stop(ctx); err != nil {
				t.Error(err)
			}
			if err := v.Stop(ctx); err != nil {
				t.Error(err)
			}
			if _, err := sleigh.Teams(ctx, rdb); err != nil {
				t.Error(err)
			}
			wantSameKeys(t, rdb, before)
			if after := variablesOf(t, rdb, s.Name()); !slices.Equal(after, vars) {
				t.Errorf("there are the variables %q, and were %q", after, vars)
			}
			got, err := square.EachElem(ctx, s, upTo(10), nil)
			wantSquares(t, got, err, 10)
		})
	}
}

// variablesOf are the names of the variables of a workspace.
func variablesOf(t *testing.T, rdb *redisx.Client, name string) (names []string) {
	t.Helper()
	ws, err := workspace.Use(t.Context(), rdb, name, false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.Close() }()
	all, err := ws.ListVars(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		names = append(names, v.Name)
	}
	return names
}

// TestS12Visit looks at a job of another program's master, which is not disturbed.
func TestS12Visit(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		rdb, ctx := clientOf(t, s), testContext(t)
		v := visitTo(t, rdb, s.Name())
		if err := v.Await(ctx, 2); err != nil {
			t.Fatal(err)
		}
		job, err := wait.Submit(ctx, s, upTo(5), &sleigh.JobOptions{Chunk: 1, NoCopies: true})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			fetch[visit](t, v.User(), "begun")
		}
		st := statusOf(t, v)
		host, _ := os.Hostname()
		if len(st.Jobs) != 1 || len(st.Workers) != 2 {
			t.Fatalf("the status is %+v", st)
		}
		j := st.Jobs[0]
		if wantSum(t, j); j.ID != job.ID() || j.Submitted != 5 || j.Claimed != 2 || j.Total != -1 {
			t.Errorf("the job is %+v", j)
		}
		if m := j.Master; m.Host != host || m.PID != os.Getpid() || m.Program == "" || !m.Since.Equal(j.Since) || j.Alone != 0 {
			t.Errorf("its master is %+v", m)
		}
		if own := statusOf(t, s).Jobs[0].Master; own.Client != j.Master.Client || own.Host != host {
			t.Errorf("by the master itself it is %+v", own)
		}
		if v.Workers() != 2 || v.Name() != s.Name() {
			t.Errorf("%d workers of %s", v.Workers(), v.Name())
		}
		wantVisitor(t, v)

		openGate(t, v.User())
		if got, err := job.Wait(ctx); err != nil || !slices.Equal(got, slices.Collect(upTo(5))) {
			t.Errorf("the job gives %v, %v", got, err)
		}
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
		for what, call := range callsOf(ctx, v) {
			if err := call(); !errors.Is(err, sleigh.ErrNoTeam) {
				t.Errorf("%s, when the team is gone: %v", what, err)
			}
		}
		if err := v.Stop(ctx); err != nil {
			t.Error(err)
		}
		for what, call := range callsOf(ctx, v) {
			if err := call(); !errors.Is(err, sleigh.ErrStopped) {
				t.Errorf("%s after Stop: %v", what, err)
			}
		}
	})
}

// callsOf are those that a visitor may make.
func callsOf(ctx context.Context, v *sleigh.Sleigh) map[string]func() error {
	return map[string]func() error{
		"Status":      func() error { _, err := v.Status(ctx); return err },
		"Explain":     func() error { _, err := v.Explain(ctx); return err },
		"CancelJob":   func() error { return v.CancelJob(ctx, "any") },
		"DrainWorker": func() error { return v.DrainWorker(ctx, 0) },
		"Lines": func() error {
			for _, err := range v.Lines(ctx, true) {
				return err
			}
			return nil
		},
	}
}

// wantVisitor checks that a visitor begins nothing.
func wantVisitor(t *testing.T, v *sleigh.Sleigh) {
	t.Helper()
	ctx := testContext(t)
	for what, call := range map[string]func() error{
		"EachElem":   func() error { _, err := square.EachElem(ctx, v, upTo(3), nil); return err },
		"Accumulate": func() error { return square.Accumulate(ctx, v, upTo(3), nil, nil) },
		"Submit":     func() error { _, err := square.Submit(ctx, v, upTo(3), nil); return err },
		"named":      func() error { _, err := square.Submit(ctx, v, upTo(3), &sleigh.JobOptions{Name: "it"}); return err },
		"EachWorker": func() error { _, err := square.EachWorker(ctx, v, 3); return err },
		"Initialise": func() error { _, err := square.Initialise(ctx, v, 3); return err },
		"Attach":     func() error { _, err := square.Attach(ctx, v, "it", nil); return err },
		"Export":     func() error { return v.Export(ctx, "x", 1) },
		"Unexport":   func() error { return v.Unexport(ctx, "x") },
	} {
		if err := call(); !errors.Is(err, sleigh.ErrVisitor) {
			t.Errorf("%s of a visitor: %v", what, err)
		}
	}
}

// TestS12StatusJSON has a status survive its JSON.
func TestS12StatusJSON(t *testing.T) {
	t.Parallel()
	rdb := open(t, "mem://")
	s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(1)})
	if text, err := json.Marshal(&sleigh.Status{}); err != nil || string(text) != `{"workers":null,"jobs":null}` {
		t.Errorf("%s, %v", text, err)
	}
	v := visitTo(t, rdb, s.Name())
	if text, err := json.Marshal(statusOf(t, v)); err != nil || !strings.Contains(string(text), `"jobs":[]`) {
		t.Errorf("%s, %v", text, err)
	}
	job, err := wait.Submit(testContext(t), s, upTo(1), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer job.Cancel()
	fetch[visit](t, s.User(), "begun")
	var st *sleigh.Status
	eventually(t, "it tells how long the element runs", func() bool {
		st = statusOf(t, v)
		return len(st.Workers[0].Tasks) == 1 && st.Workers[0].Tasks[0].For > 0
	})
	var got sleigh.Status
	text, err := json.Marshal(st)
	if err == nil {
		err = json.Unmarshal(text, &got)
	}
	if err != nil || got.Workers[0].Tasks[0].For != st.Workers[0].Tasks[0].For || got.Jobs[0].Master.PID != os.Getpid() ||
		got.Jobs[0].Submitted != 1 || got.Workers[0].State != sleigh.Working {
		t.Errorf("it comes back as %+v, %v, of %s", got, err, text)
	}
}

// TestS13VisitorDisbands has a visitor end a team that Start made, and one that lasts.
func TestS13VisitorDisbands(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		ctx := testContext(t)
		lasting := "lasts " + strings.ReplaceAll(t.Name(), "/", " ")
		disband(t, rdb, lasting)
		for _, s := range []*sleigh.Sleigh{
			start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(1)}), join(t, rdb, lasting, &sleigh.Options{Launch: sleigh.InProcess(1)}),
		} {
			awaitRanks(t, s, 0)
			ended := make(chan error, 1)
			job, err := wait.Submit(ctx, s, upTo(3), nil)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				_, err := job.Wait(ctx)
				ended <- err
			}()
			fetch[visit](t, s.User(), "begun")
			v := visitTo(t, rdb, s.Name())
			if err := v.Disband(ctx); err != nil {
				t.Error(err)
			}
			if err := <-ended; !errors.Is(err, sleigh.ErrStopped) && !errors.Is(err, workspace.ErrNoWorkspace) {
				t.Errorf("the job ended by %v", err)
			}
			wantNoKeys(t, rdb, s.Name())
			if _, err := sleigh.Visit(ctx, rdb, s.Name()); !errors.Is(err, sleigh.ErrNoTeam) {
				t.Errorf("Visit then: %v", err)
			}
		}
	})
}

// TestExplainNoMaster has a visitor told of a job that pauses, since its master has left, and who that was.
func TestExplainNoMaster(t *testing.T) {
	t.Parallel()
	onLastingTeams(t, func(t *testing.T, master func() *sleigh.Sleigh) {
		ctx := testContext(t)
		s, other := master(), master()
		v := visitTo(t, clientOf(t, s), s.Name())
		job, err := square.Submit(ctx, s, endless(ctx), &sleigh.JobOptions{Name: "paused", Pause: true, CancelAfter: time.Hour, Chunk: 1})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is under way", func() bool { return job.Check().Done > 10 })
		if err := s.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		r := explained(t, v, sleigh.NoMaster, "has left it; it is ended in 5")
		if r.Job != job.ID() || r.Func != "square" || r.Master.PID != os.Getpid() || r.Master.Client != "" || r.For <= 0 || r.In <= 0 {
			t.Errorf("the reason is %+v", r)
		}
		explained(t, other, sleigh.NoMaster, "has had no master for")
		if j := statusOf(t, v).Jobs[0]; j.Master.PID != 0 || j.Alone <= 0 {
			t.Errorf("the job is %+v", j)
		}
		if err := v.CancelJob(ctx, "paused"); err != nil {
			t.Error(err)
		}
		if reasons, err := v.Explain(ctx); err != nil || len(reasons) > 0 {
			t.Errorf("then it says %v, %v", reasons, err)
		}
	})
}

// TestExplainVisitorNoFunction has a visitor told of a job whose function no worker has, and whose it is.
func TestExplainVisitorNoFunction(t *testing.T) {
	t.Parallel()
	onLastingTeams(t, func(t *testing.T, master func() *sleigh.Sleigh) {
		s := master()
		v := visitTo(t, clientOf(t, s), s.Name())
		awaitRanks(t, v, 0, 1)
		job, err := sleigh.Unregistered[int, int]("unknown").Submit(testContext(t), s, upTo(1), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer job.Cancel()
		r := explained(t, v, sleigh.NoFunction, fmt.Sprintf("no worker has function unknown: the workers' build is %s; its master is", thisBuild(t, v)))
		if r.Job != job.ID() || r.MasterBuild != "" || r.Master.PID != os.Getpid() {
			t.Errorf("the reason is %+v", r)
		}
	})
}

// thisBuild is that of the worker of rank 0.
func thisBuild(t *testing.T, s *sleigh.Sleigh) string {
	t.Helper()
	return statusOf(t, s).Workers[0].Info.Build
}

// TestExplainRefused has a visitor told why no worker has joined, of a team that has a master and of one that has none.
func TestExplainRefused(t *testing.T) {
	t.Parallel()
	needRedisServer(t)
	rdb := open(t, "local://")
	disband(t, rdb, "refuses")
	s := join(t, rdb, "refuses", &sleigh.Options{SameBuild: true})
	changeTerms(t, rdb, s, func(terms map[string]any) { terms["build"] = "another" })
	v := visitTo(t, rdb, "refuses")
	refused := func(n int) {
		t.Helper()
		if code := volunteer(t, rdb, "refuses").wait(); code != 1 {
			t.Errorf("it ended with %d", code)
		}
		r := explained(t, v, sleigh.NoWorker, "were refused: the program")
		if len(r.Refused) != n || r.Refused[n-1].PID == 0 {
			t.Errorf("%d were refused, it says %+v", n, r.Refused)
		}
	}
	refused(1)
	eventually(t, "the master knows", func() bool { return len(statusOf(t, s).Refused) == 1 })
	if err := s.Stop(testContext(t)); err != nil {
		t.Fatal(err)
	}
	refused(2)
	if st := statusOf(t, join(t, rdb, "refuses", nil)); len(st.Refused) > 2 {
		t.Errorf("the next master is told of %+v", st.Refused)
	}
}
