package sleigh_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/sleigh"
)

// flood prints so many lines, and returns how many bytes it printed.
var flood = sleigh.Register("flood", func(ctx context.Context, n int) (int, error) {
	out := bufio.NewWriterSize(os.Stdout, 4096)
	bytes := 0
	for i := range n {
		k, _ := fmt.Fprintf(out, "line %d of many, all of which say the same\n", i)
		bytes += k
	}
	return bytes, out.Flush()
})

// memoryOf is what the keys of a sleigh take, or their values where Redis does not say.
func memoryOf(t *testing.T, rdb *redisx.Client, name string) (bytes int64) {
	t.Helper()
	ctx := context.Background()
	keys, err := rdb.Redis().Keys(ctx, "nws:{"+name+"}*").Result()
	if err != nil {
		t.Error(err)
	}
	for _, key := range keys {
		if n, err := rdb.Redis().MemoryUsage(ctx, key, 0).Result(); err == nil {
			bytes += n
		} else if strings.Contains(key, ":values:") {
			values, _ := rdb.Redis().LRange(ctx, key, 0, -1).Result()
			bytes += int64(len(strings.Join(values, "")))
		}
	}
	return bytes
}

// TestS14Flood prints more lines than are kept to a master that does not read them.
func TestS14Flood(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		n := 1_000_000
		if brief() {
			n = 200_000
		}
		if rdb.String() == "embedded" {
			n /= 4 // it is slow under the race detector
		}
		var h heard
		reading := make(chan struct{})
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(1), Output: func(l sleigh.Line) {
			<-reading
			h.take(l)
		}})
		read := sync.OnceFunc(func() { close(reading) })
		defer read()
		peak := int64(0)
		ended := make(chan error, 1)
		go func() {
			_, err := flood.EachElem(testContext(t), s, slices.Values([]int{n}), nil)
			ended <- err
		}()
		for err := error(nil); ; {
			peak = max(peak, memoryOf(t, rdb, s.Name()))
			select {
			case err = <-ended:
			case <-time.After(20 * time.Millisecond):
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		if most := int64(2 * sleigh.MostPages * sleigh.PageBytes); peak > most || peak < most/8 {
			t.Errorf("lines took %d bytes", peak)
		}
		read()
		eventually(t, "all lines are accounted for", func() bool {
			lines, left := h.count()
			return lines+left >= n
		})
		lines, left := h.count()
		if lines+left != n || lines < 1000 || left < 1000 {
			t.Errorf("%d lines, and %d that were left out, are not %d", lines, left, n)
		}
		last := -1
		for _, text := range h.texts(func(l sleigh.Line) bool { return l.Left == 0 }) {
			var i int
			if _, err := fmt.Sscanf(text, "line %d of many", &i); err != nil || i <= last {
				t.Fatalf("after %d comes %q", last, text)
			}
			last = i
		}
		if last != n-1 {
			t.Errorf("the last line is %d", last)
		}
	})
}

// prattle and prattleOn print or log when Redis is away, which the file "go" tells, and say so by the file "done".
var (
	prattle   = sleigh.Register("prattle", func(ctx context.Context, dir string) (int, error) { return 0, prattleBy(ctx, dir, fmt.Println) })
	prattleOn = sleigh.Register("prattleOn", func(ctx context.Context, dir string) (int, error) {
		log := sleigh.Log(ctx)
		return 0, prattleBy(ctx, dir, func(words ...any) (int, error) {
			log.Info(strings.TrimSuffix(fmt.Sprintln(words...), "\n"))
			return 0, nil
		})
	})
)

const prattled = 50_000

func prattleBy(ctx context.Context, dir string, say func(words ...any) (int, error)) error {
	if err := sleigh.WorkerFrom(ctx).User().Store(ctx, "begun", true); err != nil {
		return err
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "go"))
		if err == nil {
			break
		}
		if !errors.Is(err, os.ErrNotExist) {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	for i := range prattled {
		if _, err := say("prattle", i, strings.Repeat("x", 100)); err != nil {
			return err
		}
		sleigh.Progress(ctx, i, prattled)
	}
	return os.WriteFile(filepath.Join(dir, "done"), nil, 0o600)
}

// TestS14RedisStopped prints while Redis does not answer: nothing waits for it, and what could not be kept is counted.
func TestS14RedisStopped(t *testing.T) {
	t.Parallel()
	needRedisServer(t)
	server := redistest.Start(t)
	for name, team := range map[string]struct {
		launch sleigh.Launcher
		f      sleigh.Func[string, int]
	}{"processes": {sleigh.Local(1), prattle}, "goroutines": {sleigh.InProcess(1), prattleOn}} {
		t.Run(name, func(t *testing.T) {
			var h heard
			s := start(t, open(t, server.URL()), &sleigh.Options{Launch: team.launch, Output: h.take, Lease: time.Minute})
			dir := t.TempDir()
			ended := make(chan error, 1)
			go func() {
				_, err := team.f.EachElem(testContext(t), s, slices.Values([]string{dir}), nil)
				ended <- err
			}()
			fetch[bool](t, s.User(), "begun")
			server.Pause()
			if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
				t.Error(err)
			}
			eventually(t, "the function has printed all", func() bool {
				_, err := os.Stat(filepath.Join(dir, "done"))
				return err == nil
			})
			server.Resume()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			eventually(t, "all lines are accounted for", func() bool {
				lines, left := h.count()
				return lines+left >= prattled
			})
			if lines, left := h.count(); lines+left != prattled || lines < 1000 || left < 1000 {
				t.Errorf("%d lines, and %d that were left out", lines, left)
			}
			all := h.texts(func(l sleigh.Line) bool { return l.Left == 0 })
			if last := all[len(all)-1]; !strings.HasPrefix(last, fmt.Sprint("prattle ", prattled-1, " ")) {
				t.Errorf("the last line is %q", last)
			}
		})
	}
}

// raw prints bytes as they are.
var raw = sleigh.Register("raw", func(ctx context.Context, text []byte) (int, error) { return os.Stdout.Write(text) })

// TestS14Bytes prints what is no text, and lines that are too long.
func TestS14Bytes(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		var h heard
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(2), Output: h.take})
		var zeros, every strings.Builder
		for i := range 256 {
			zeros.WriteByte(0)
			if i != '\n' {
				every.WriteByte(byte(i))
			}
		}
		long := strings.Repeat("0123456789", 100_000)
		texts := []string{
			"a\x00b\n", "\xff\xfe \xc3\n", zeros.String() + "\n", every.String() + "\n", strings.Repeat("\x00", sleigh.LineBytes) + "\n",
			"<b> & \u2028 \"quoted\" \\ \x1b[31m\t世界\r\n", "\n", "\n\n", "", long, long + "\nafter it\n",
		}
		elems := make([][]byte, len(texts))
		for i, text := range texts {
			elems[i] = []byte(text)
		}
		if _, err := raw.EachElem(testContext(t), s, slices.Values(elems), nil); err != nil {
			t.Fatal(err)
		}
		for i, text := range texts {
			want := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			if text == "" {
				want = nil
			}
			for k := range want {
				want[k] = sleigh.Cut(want[k], 0)
			}
			if got := h.texts(func(l sleigh.Line) bool { return l.Index == i }); !slices.Equal(got, want) {
				t.Errorf("element %d: got %d lines, %.100q; want %d, %.100q", i, len(got), got, len(want), want)
			}
		}
		if lines, left := h.count(); lines != 12 || left != 0 {
			t.Errorf("%d lines, %d left out", lines, left)
		}
	})
}
