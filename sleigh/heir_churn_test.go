package sleigh_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/sleigh"
)

// TestS13MastersChurn has the masters of three jobs come and leave at random. Each result comes once, each failure is told once.
func TestS13MastersChurn(t *testing.T) {
	t.Parallel()
	n := 4000
	if brief() {
		n = 1000
	}
	seed := uint64(time.Now().UnixNano()) //nolint:gosec // Any will do.
	t.Logf("seed %d", seed)
	rdb, name, _ := heirs(t, "local://", 3)
	var jobs sync.WaitGroup
	for k := range 3 {
		random := rand.New(rand.NewPCG(seed, uint64(k))) //nolint:gosec // It is to be repeated.
		jobs.Go(func() { churnMasters(t, rdb, name, k, n, random) })
	}
	jobs.Wait()
	if left := keysOf(t, rdb, "nws:{"+name+"}:values:count:*"); len(left) > 0 {
		t.Errorf("jobs are left: %v", left)
	}
}

// churnMasters has one master after the other go on with job k, until all elements are done.
func churnMasters(t *testing.T, rdb *redisx.Client, name string, k, n int, random *rand.Rand) {
	seen, failed := map[int]int{}, map[int]bool{}
	for legs := 0; ; legs++ {
		s, err := sleigh.Join(testContext(t), rdb, name, nil)
		if err != nil {
			t.Error(err)
			return
		}
		ctx, cancel := context.WithCancelCause(testContext(t))
		until := len(seen) + random.IntN(n)
		o := &sleigh.JobOptions{Name: fmt.Sprint("churn ", k), Chunk: random.IntN(20), Priority: 1 + k}
		err = squareUnlessOdd.Accumulate(ctx, s, upTo(n), o, func(i, v int) error {
			if v != i*i {
				t.Errorf("%d gives %d", i, v)
			}
			if seen[i]++; len(seen) >= until {
				cancel(errEnough)
			}
			return nil
		})
		cancel(nil)
		if err := s.Stop(context.Background()); err != nil {
			t.Errorf("Stop: %v", err)
		}
		if errors.Is(err, errEnough) && legs < 30 {
			continue
		}
		all, ok := errors.AsType[sleigh.TaskErrors](err)
		for _, e := range all {
			if failed[e.Index] {
				t.Errorf("%d has failed twice", e.Index)
			}
			failed[e.Index] = true
		}
		if !ok || len(failed) != n/100 || len(seen) != n-n/100 || twiceOf(seen) > 0 {
			t.Errorf("job %d after %d legs: %v; %d given, %d twice, %d failed", k, legs, err, len(seen), twiceOf(seen), len(failed))
		}
		return
	}
}

// TestS13MasterStands stops the process of a master for longer than 6 s, has another one take over, and lets the first go on:
// it says who has the job, and both have but few results.
func TestS13MasterStands(t *testing.T) {
	if brief() {
		return
	}
	t.Parallel()
	needRedisServer(t)
	url := redistest.Start(t).URL()
	disband(t, openAt(t, url), "stands")
	join(t, openAt(t, url), "stands", &sleigh.Options{Launch: sleigh.InProcess(2), Slots: 4})
	const n = 30_000
	var files []string
	begin := func() *player {
		file := filepath.Join(t.TempDir(), "squares")
		files = append(files, file)
		p := play(t, "successor")
		for _, line := range []string{url, "stands", file, fmt.Sprint(n)} {
			p.say(line)
		}
		if said := p.hear(); said != "joined" {
			t.Fatal(said)
		}
		return p
	}
	first := begin()
	if said := first.hear(); said != "collects" {
		t.Fatal(said)
	}
	time.Sleep(1500 * time.Millisecond) // the moment is what is tried
	kill(t, first.cmd.Process.Pid, syscall.SIGSTOP)
	second := begin()
	if said := second.hear(); said != "collects" {
		t.Fatal(said)
	}
	time.Sleep(500 * time.Millisecond) // the moment is what is tried
	kill(t, first.cmd.Process.Pid, syscall.SIGCONT)
	if said := first.rest(); !strings.Contains(said, "has a master") {
		t.Errorf("the first one does not say who has the job: %s", said)
	}
	if said := second.rest(); said != "done\n" {
		t.Errorf("the second: %s", said)
	}
	counts := map[int]int{}
	for _, path := range files {
		file, has, err := resumeFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_ = file.Close()
		for i := range has {
			counts[i]++
		}
	}
	if len(counts) != n || twiceOf(counts) > n/20 {
		t.Errorf("%d of %d, %d by both", len(counts), n, twiceOf(counts))
	}
}
