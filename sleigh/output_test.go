package sleigh_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// heard is what a master hears of its workers.
type heard struct {
	mu    sync.Mutex
	lines []sleigh.Line
}

func (h *heard) take(l sleigh.Line) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, l)
}

func (h *heard) all() []sleigh.Line {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.lines)
}

// texts are those of the lines that are wanted.
func (h *heard) texts(wanted func(l sleigh.Line) bool) []string {
	var texts []string
	for _, l := range h.all() {
		if wanted(l) {
			texts = append(texts, l.Text)
		}
	}
	return texts
}

// count is how many lines there are, with those that were left out.
func (h *heard) count() (lines, left int) {
	for _, l := range h.all() {
		if l.Left > 0 {
			left += l.Left
		} else {
			lines++
		}
	}
	return lines, left
}

// babble prints and logs in all the ways there are.
var babble = sleigh.Register("babble", func(ctx context.Context, x int) (int, error) {
	fmt.Println("println", x)
	fmt.Fprintf(os.Stderr, "stderr %d\nand more\n", x)
	log.Println("package log", x)
	slog.InfoContext(ctx, "by context", "x", x)
	slog.Info("without", "x", x)
	slog.DebugContext(ctx, "too fine")
	sleigh.Log(ctx).With("a", 1).WithGroup("g").Warn("by Log", "x", x, "text", `two "words"`)
	child := exec.CommandContext(ctx, "/bin/sh", "-c", fmt.Sprintf("echo child %d; echo bad child %d >&2", x, x))
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	err := child.Run()
	fmt.Print("no newline ", x)
	return x, err
})

// TestS14Printed looks at all that workers print and log, which is there when EachElem returns.
func TestS14Printed(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		var h heard
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(2), Output: h.take})
		const n = 40
		// A copy of a task would print once more.
		if _, err := babble.EachElem(testContext(t), s, upTo(n), &sleigh.JobOptions{NoCopies: true}); err != nil {
			t.Fatal(err)
		}
		host, _ := os.Hostname()
		jobs := map[string]bool{}
		for _, l := range h.all() {
			if l.Stream != sleigh.Stderr {
				jobs[l.Job] = true
			}
			if l.Host != host || l.Worker < 0 || l.Worker > 1 || l.Time.IsZero() || l.Left != 0 {
				t.Errorf("got %+v", l)
			}
		}
		if len(jobs) != 1 || jobs[""] {
			t.Errorf("of jobs %v", jobs)
		}
		for x := range n {
			for stream, want := range map[sleigh.Stream][]string{
				sleigh.Stdout: {fmt.Sprint("println ", x), fmt.Sprint("child ", x), fmt.Sprint("no newline ", x)},
				sleigh.Logged: {fmt.Sprint("by context x=", x), fmt.Sprint("without x=", x), fmt.Sprintf(`by Log a=1 g.x=%d g.text="two \"words\""`, x)},
			} {
				got := h.texts(func(l sleigh.Line) bool { return l.Index == x && l.Stream == stream })
				if !slices.Equal(got, want) {
					t.Errorf("element %d, %s: got %q, want %q", x, stream, got, want)
				}
			}
		}
		// What goes to stderr comes from another process, and nobody knows which element it is of.
		var got map[int][]string
		eventually(t, "all of stderr is there", func() bool {
			got = map[int][]string{}
			for _, l := range h.all() {
				if l.Stream == sleigh.Stderr {
					got[l.Worker] = append(got[l.Worker], l.Text)
				}
			}
			return len(got[0])+len(got[1]) == 4*n
		})
		seen := map[int]bool{}
		for rank, texts := range got {
			for i := 0; i < len(texts); i += 4 {
				var x int
				if _, err := fmt.Sscanf(texts[i], "stderr %d", &x); err != nil || seen[x] {
					t.Fatalf("worker %d: %q", rank, texts[i])
				}
				seen[x] = true
				if texts[i+1] != "and more" || !strings.HasSuffix(texts[i+2], fmt.Sprint(" package log ", x)) ||
					texts[i+3] != fmt.Sprint("bad child ", x) {
					t.Errorf("worker %d: %q", rank, texts[i:i+4])
				}
			}
		}
	})
}

var mutter = sleigh.Register("mutter", func(ctx context.Context, text string) (int, error) {
	sleigh.Log(ctx).Debug("fine")
	sleigh.Log(ctx).Error(text, "n", 1)
	return 0, nil
})

// TestS14Logged logs in workers of both kinds.
func TestS14Logged(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		for name, launch := range map[string]sleigh.Launcher{"goroutines": sleigh.InProcess(3), "processes": sleigh.Local(3)} {
			t.Run(name, func(t *testing.T) {
				for _, level := range []slog.Level{slog.LevelInfo, slog.LevelDebug} {
					var h heard
					s := start(t, rdb, &sleigh.Options{Launch: launch, Output: h.take, LogLevel: level})
					if _, err := mutter.EachWorker(testContext(t), s, "two\nlines"); err != nil {
						t.Fatal(err)
					}
					for rank := range 3 {
						got := h.texts(func(l sleigh.Line) bool {
							return l.Worker == rank && l.Index == rank && l.Job != "" && l.Stream == sleigh.Logged && l.Level == slog.LevelError
						})
						if !slices.Equal(got, []string{"two\nlines n=1"}) {
							t.Errorf("worker %d: %q", rank, got)
						}
					}
					fine := h.texts(func(l sleigh.Line) bool { return l.Level == slog.LevelDebug && l.Text == "fine" })
					if want := map[slog.Level]int{slog.LevelInfo: 0, slog.LevelDebug: 3}[level]; len(fine) != want {
						t.Errorf("at level %v: %q", level, fine)
					}
				}
			})
		}
	})
}

// count prints numbers.
var count = sleigh.Register("count", func(ctx context.Context, n int) (int, error) {
	for i := range n {
		fmt.Println("number", i)
	}
	return n, nil
})

// TestS14Order prints so much that it comes in many pieces.
func TestS14Order(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		var h heard
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(3), Output: h.take})
		const n = 2000
		if _, err := count.EachWorker(testContext(t), s, n); err != nil {
			t.Fatal(err)
		}
		for rank := range 3 {
			got := h.texts(func(l sleigh.Line) bool { return l.Worker == rank })
			if len(got) != n {
				t.Fatalf("%d lines of worker %d", len(got), rank)
			}
			for i, text := range got {
				if text != fmt.Sprint("number ", i) {
					t.Fatalf("line %d of worker %d is %q", i, rank, text)
				}
			}
		}
	})
}

// TestS14Short has elements that are far shorter than a look at what they print.
func TestS14Short(t *testing.T) {
	t.Parallel()
	var h heard
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.Local(2), Output: h.take})
	got, err := square.EachElem(testContext(t), s, upTo(10_000), nil)
	wantSquares(t, got, err, 10_000)
	if lines := h.all(); len(lines) > 0 {
		t.Errorf("got %v", lines)
	}
	if _, err := sometimes.EachElem(testContext(t), s, upTo(2000), &sleigh.JobOptions{Chunk: 100}); err != nil {
		t.Fatal(err)
	}
	known := 0
	for i, l := range h.all() {
		var x int
		if _, err := fmt.Sscanf(l.Text, "I am %d", &x); err != nil || l.Index != -1 && l.Index != x {
			t.Errorf("line %d: %+v", i, l)
		}
		if l.Index == x {
			known++
		}
	}
	if n := len(h.all()); n != 20 || known < n-2 { // all but the first of each worker
		t.Errorf("%d lines, of %d the element is known", n, known)
	}
}

var sometimes = sleigh.Register("sometimes", func(ctx context.Context, x int) (int, error) {
	if x%100 == 0 {
		fmt.Println("I am", x)
	}
	return x, nil
})

// together prints when another one runs in the same worker.
var together = sleigh.Register("together", func(ctx context.Context, x int) (int, error) {
	w := sleigh.WorkerFrom(ctx)
	if err := w.User().Store(ctx, "begun", x); err != nil {
		return 0, err
	}
	if err := w.User().Find(ctx, "gate", new(bool)); err != nil {
		return 0, err
	}
	fmt.Println("one of us")
	sleigh.Log(ctx).Info("me")
	if err := w.User().Store(ctx, "said", x); err != nil {
		return 0, err
	}
	return x, w.User().Find(ctx, "exit", new(bool))
})

// TestS14Slots has two elements run at a time in one worker: what is printed then is nobody's, what is logged is.
func TestS14Slots(t *testing.T) {
	t.Parallel()
	var h heard
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.Local(1), Slots: 2, Output: h.take})
	ended := make(chan error, 1)
	go func() {
		_, err := together.EachElem(testContext(t), s, upTo(2), nil)
		ended <- err
	}()
	for range 2 {
		fetch[int](t, s.User(), "begun")
	}
	openGate(t, s.User())
	for range 2 {
		fetch[int](t, s.User(), "said")
	}
	if err := s.User().Store(testContext(t), "exit", true); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	logged := map[int]int{}
	for _, l := range h.all() {
		switch l.Text {
		case "one of us":
			if l.Index != -1 || l.Job != "" {
				t.Errorf("got %+v", l)
			}
		case "me":
			logged[l.Index]++
		}
	}
	if lines, _ := h.count(); lines != 4 || logged[0] != 1 || logged[1] != 1 {
		t.Errorf("got %+v", h.all())
	}
}

// lastWords prints when its context ends.
var lastWords = sleigh.Register("lastWords", func(ctx context.Context, x int) (int, error) {
	if err := sleigh.WorkerFrom(ctx).User().Store(ctx, "begun", x); err != nil {
		return 0, err
	}
	<-ctx.Done()
	fmt.Println("printed at the end")
	sleigh.Log(ctx).Info("logged at the end")
	return 0, ctx.Err()
})

// TestS14AtStop looks for what functions print when the sleigh stops.
func TestS14AtStop(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		var h heard
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(2), Output: h.take})
		go func() { _, _ = lastWords.EachElem(testContext(t), s, upTo(2), nil) }()
		for range 2 {
			fetch[int](t, s.User(), "begun")
		}
		if err := s.Stop(testContext(t)); err != nil {
			t.Fatal(err)
		}
		got := h.texts(func(sleigh.Line) bool { return true })
		slices.Sort(got)
		if want := []string{"logged at the end", "logged at the end", "printed at the end", "printed at the end"}; !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	})
}

// TestS14Manual looks at what a worker prints that was started by hand.
func TestS14Manual(t *testing.T) {
	t.Parallel()
	rdb := open(t, open(t, "local://").URL())
	var h heard
	s := start(t, rdb, &sleigh.Options{Launch: sleigh.Manual(1), Output: h.take})
	w := volunteer(t, rdb, s.Name())
	if _, err := count.EachElem(testContext(t), s, slices.Values([]int{1}), nil); err != nil {
		t.Fatal(err)
	}
	if got := h.texts(func(l sleigh.Line) bool { return l.Index == 0 }); !slices.Equal(got, []string{"number 0"}) {
		t.Errorf("got %q of %q", got, h.texts(func(sleigh.Line) bool { return true }))
	}
	if err := s.Stop(testContext(t)); err != nil {
		t.Error(err)
	}
	if code := w.wait(); code != 0 {
		t.Errorf("the worker ended with %d", code)
	}
}
