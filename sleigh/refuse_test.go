package sleigh_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// changeTerms has the master of a sleigh seem to run another program.
func changeTerms(t *testing.T, rdb *redisx.Client, s *sleigh.Sleigh, change func(terms map[string]any)) {
	t.Helper()
	own, err := workspace.Use(t.Context(), rdb, s.Name(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	terms := fetch[map[string]any](t, own, "terms")
	change(terms)
	if err := own.Store(t.Context(), "terms", terms); err != nil {
		t.Fatal(err)
	}
}

// TestRefused has workers join that miss a function of the master, or are of another build where that matters.
func TestRefused(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		var log lockedBuffer
		s := start(t, rdb, &sleigh.Options{
			Launch: sleigh.InProcess(1), SameBuild: true, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		volunteer(t, rdb, s.Name()) // it is of the same build
		awaitRanks(t, s, 0, 1)

		refused := 0
		wantRefused := func(reason string) {
			t.Helper()
			h := volunteer(t, rdb, s.Name())
			if code := h.wait(); code != 1 || !strings.Contains(h.stderr.String(), reason) {
				t.Errorf("it ended with %d and said: %s", code, h.stderr.String())
			}
			refused++
			var st *sleigh.Status
			eventually(t, "the master hears of it", func() bool { st = statusOf(t, s); return len(st.Refused) == refused })
			r := st.Refused[refused-1]
			if r.PID != h.cmd.Process.Pid || r.Host == "" || r.At.IsZero() || !strings.Contains(r.Reason, reason) {
				t.Errorf("refused is %+v", r)
			}
			if n := strings.Count(log.String(), "a worker was refused"); n != refused || !strings.Contains(log.String(), reason) {
				t.Errorf("the log says: %s", log.String())
			}
			if len(st.Workers) != 2 {
				t.Errorf("there are %+v", st.Workers)
			}
		}
		changeTerms(t, rdb, s, func(terms map[string]any) {
			terms["functions"] = append(terms["functions"].([]any), "only the master's")
		})
		wantRefused("does not register only the master's")
		changeTerms(t, rdb, s, func(terms map[string]any) { terms["functions"], terms["build"] = []any{"square"}, "another" })
		wantRefused("the master's is another")
		changeTerms(t, rdb, s, func(terms map[string]any) { terms["sameBuild"] = false })
		volunteer(t, rdb, s.Name())
		awaitRanks(t, s, 0, 1, 2)
	})
}

// TestRefusedLaunched has a launched worker not fit: calls say so, instead of waiting for workers that cannot come.
func TestRefusedLaunched(t *testing.T) {
	t.Parallel()
	rdb := open(t, "mem://")
	s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(1)})
	awaitRanks(t, s, 0)
	changeTerms(t, rdb, s, func(terms map[string]any) {
		terms["functions"] = append(terms["functions"].([]any), "only the master's")
	})
	kill(t, pidAt(t, s, 0), 9)
	if _, err := wait.EachElem(testContext(t), s, upTo(1), nil); err == nil || !strings.Contains(err.Error(), "does not want this worker") {
		t.Errorf("got %v", err)
	}
}
