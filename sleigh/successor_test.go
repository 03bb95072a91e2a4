package sleigh_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/sleigh"
)

// doze is square at its ease, so that a job lasts for some masters.
var doze = sleigh.Register("doze", func(ctx context.Context, x int) (int, error) {
	select {
	case <-time.After(2 * time.Millisecond):
	case <-ctx.Done():
	}
	return x * x, ctx.Err()
})

// successorJob is what a successor is told.
type successorJob struct{ URL, Team, File string }

// playSuccessor is a program that adds the results of a job to a file, and is run again after each time that it was killed. It
// knows by the file which results it has.
func playSuccessor() int {
	in := bufio.NewScanner(os.Stdin)
	var told [4]string
	for i := range told {
		in.Scan()
		told[i] = in.Text()
	}
	if err := succeed(successorJob{told[0], told[1], told[2]}, told[3]); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("done")
	return 0
}

func succeed(told successorJob, elements string) error {
	var n int
	if _, err := fmt.Sscan(elements, &n); err != nil {
		return err
	}
	file, has, err := resumeFile(told.File)
	if err != nil {
		return err
	}
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, told.URL, nil)
	if err != nil {
		return err
	}
	s, err := sleigh.Join(ctx, rdb, told.Team, nil)
	if err != nil {
		return err
	}
	fmt.Println("joined")
	first := true
	err = doze.Accumulate(ctx, s, upTo(n), &sleigh.JobOptions{Name: "squares"}, func(i, v int) error {
		if first {
			fmt.Println("collects")
			first = false
		}
		if has[i] {
			return nil
		}
		_, err := fmt.Fprintln(file, i, v)
		return err
	})
	if errors.Is(err, sleigh.ErrFinished) { // it was killed just then
		return nil
	}
	return err
}

// resumeFile opens a file for more lines, and says which elements it has. A line that was cut off is dropped.
func resumeFile(path string) (*os.File, map[int]bool, error) {
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, nil, err
	}
	whole := 0
	for i, c := range text {
		if c == '\n' {
			whole = i + 1
		}
	}
	has := map[int]bool{}
	for line := range strings.Lines(string(text[:whole])) {
		var i, v int
		if _, err := fmt.Sscan(line, &i, &v); err != nil {
			return nil, nil, err
		}
		if has[i] || v != i*i {
			return nil, nil, fmt.Errorf("the file has %q, and has it before: %t", line, has[i])
		}
		has[i] = true
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, err
	}
	if err := file.Truncate(int64(whole)); err != nil {
		return nil, nil, err
	}
	_, err = file.Seek(int64(whole), 0)
	return file, has, err
}

// TestS13MastersDie kills the master of a job at random moments, and runs its program again each time.
func TestS13MastersDie(t *testing.T) {
	t.Parallel()
	needRedisServer(t)
	kills, n := 2, 20_000
	if os.Getenv("NETSPACES_ALL") == "1" {
		kills, n = 10, 100_000
	}
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		killMasters(t, redistest.Start(t).URL(), kills, n, func() {})
	})
	t.Run("redis that restarts", func(t *testing.T) {
		t.Parallel()
		server := redistest.Start(t, "appendonly yes", "appendfsync always")
		killMasters(t, server.URL(), kills, n, server.Restart)
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		killMasters(t, redistest.StartCluster(t, 3, 0).URL(), kills, n, func() {})
	})
}

func killMasters(t *testing.T, url string, kills, n int, trouble func()) {
	t.Helper()
	rdb := openAt(t, url)
	disband(t, rdb, "successors")
	join(t, rdb, "successors", &sleigh.Options{Launch: sleigh.InProcess(2), Slots: 8})
	file := filepath.Join(t.TempDir(), "squares")
	seed := uint64(time.Now().UnixNano()) //nolint:gosec // Any will do.
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // It is to be repeated.
	for kill := range kills + 1 {
		p := play(t, "successor")
		for _, line := range []string{url, "successors", file, fmt.Sprint(n)} {
			p.say(line)
		}
		if said := p.hear(); said != "joined" {
			t.Fatalf("master %d: %s", kill, said)
		}
		if kill == kills {
			if said := p.rest(); said != "collects\ndone\n" && said != "done\n" {
				t.Fatalf("the last master: %s", said)
			}
			break
		}
		if random.IntN(4) > 0 { // else it may die before it has the job
			p.hear()
		}
		time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond) // the moment is what is tried
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = p.cmd.Wait()
		if kill%2 == 1 {
			trouble()
		}
	}
	_, has, err := resumeFile(file)
	if err != nil || len(has) != n {
		t.Errorf("%d of %d elements are in the file, %v", len(has), n, err)
	}
}
