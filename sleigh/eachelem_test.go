package sleigh_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// upTo gives 0, 1, … n-1.
func upTo(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// wantSquares checks the results of square for upTo(n).
func wantSquares(t *testing.T, got []int, err error, n int) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != n {
		t.Fatalf("%d results, want %d", len(got), n)
	}
	for i, x := range got {
		if x != i*i {
			t.Fatalf("result %d is %d, want %d", i, x, i*i)
		}
	}
}

func TestS4ResultsInOrder(t *testing.T) {
	t.Parallel()
	onTeams(t, 3, func(t *testing.T, s *sleigh.Sleigh) {
		ctx := testContext(t)
		for _, n := range []int{0, 1, 2, 1500} {
			got, err := square.EachElem(ctx, s, upTo(n), nil)
			wantSquares(t, got, err, n)
		}
	})
}

// TestS4ManyElements has more elements than are handed out at a time, and looks at what OnDone says of them.
func TestS4ManyElements(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		n := 20_000
		if rdb.String() == "embedded" {
			n = 5000 // it is slow under the race detector
		}
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.Local(2)})
		last := 0
		got, err := square.EachElem(testContext(t), s, upTo(n), &sleigh.JobOptions{OnDone: func(done int) {
			if done < last {
				t.Errorf("OnDone(%d) after OnDone(%d)", done, last)
			}
			last = done
		}})
		wantSquares(t, got, err, n)
		if last != n {
			t.Errorf("the last call was OnDone(%d)", last)
		}
	})
}

// TestS4LastOnDone looks for a job that ends without telling of its last element.
func TestS4LastOnDone(t *testing.T) {
	t.Parallel()
	s := start(t, open(t, "local://"), &sleigh.Options{Launch: sleigh.InProcess(1)})
	for range 300 {
		last := 0
		_, err := square.EachElem(testContext(t), s, upTo(1), &sleigh.JobOptions{OnDone: func(done int) { last = done }})
		if err != nil || last != 1 {
			t.Fatalf("the last call was OnDone(%d), %v", last, err)
		}
	}
}

// TestS4PulledAsNeeded holds all results back, and looks how far an endless sequence has been pulled.
func TestS4PulledAsNeeded(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(2)})
		ctx, cancel := context.WithCancel(testContext(t))
		defer cancel()
		var pulled atomic.Int64
		stopped := false
		endless := func(yield func(int) bool) {
			for i := 0; yield(i); i++ {
				pulled.Add(1)
			}
			stopped = true
		}
		ended := make(chan error, 1)
		go func() {
			_, err := wait.EachElem(ctx, s, endless, nil)
			ended <- err
		}()
		fetch[visit](t, s.User(), "begun")
		fetch[visit](t, s.User(), "begun")
		const window = 2000 // generous: the package does not promise a number
		if n := pulled.Load(); n > window {
			t.Errorf("%d elements pulled while none is done", n)
		}
		before := pulled.Load()
		openGate(t, s.User())
		eventually(t, "more elements are pulled once some are done", func() bool { return pulled.Load() > before })
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if !stopped {
			t.Error("the sequence was not ended")
		}
	})
}

// TestS4SlowSequence has a sequence that gives its next element only when the one before has been run.
func TestS4SlowSequence(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(2)})
		openGate(t, s.User())
		ctx := testContext(t)
		slow := func(yield func(int) bool) {
			for i := range 5 {
				if !yield(i) {
					return
				}
				var v visit
				if err := s.User().Fetch(ctx, "begun", &v); err != nil || v.Element != i {
					t.Errorf("element %d has not been run: %v, %v", i, v, err)
					return
				}
			}
		}
		got, err := wait.EachElem(ctx, s, slow, nil)
		if err != nil || !slices.Equal(got, []int{0, 1, 2, 3, 4}) {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

// TestS4BigElements sends elements and results that are far larger than a packet.
func TestS4BigElements(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		s := start(t, rdb, &sleigh.Options{Launch: sleigh.InProcess(2)})
		const mega = 1 << 20
		ctx := testContext(t)
		big := strings.Repeat("x", mega)
		lengths, err := length.EachElem(ctx, s, func(yield func(string) bool) {
			for i := range 8 {
				if !yield(big[:mega-i]) {
					return
				}
			}
		}, nil)
		if err != nil || len(lengths) != 8 {
			t.Fatalf("%d results, %v", len(lengths), err)
		}
		for i, n := range lengths {
			if n != mega-i {
				t.Errorf("element %d had %d bytes", i, n)
			}
		}
		texts, err := inflate.EachElem(ctx, s, slices.Values([]int{mega / 2, 0, 1, mega / 2}), nil)
		if err != nil || len(texts) != 4 {
			t.Fatalf("%d results, %v", len(texts), err)
		}
		if len(texts[0]) != mega || texts[1] != "" || texts[2] != "é" || texts[3] != texts[0] {
			t.Error("the big results are not as they were")
		}
	})
}

// TestS4Values checks that values without much in them are values like any other, and that none is changed on its way.
func TestS4Values(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		ctx := testContext(t)
		var elems []json.RawMessage
		for _, text := range []string{
			`null`, `0`, `""`, `[]`, `{}`, `false`, `-0`, `9007199254740993`, `1e400`, `"\u0000"`, `"<&>"`, `"\u2028 é 🛷"`, `[[],{"a":null}]`,
		} {
			elems = append(elems, json.RawMessage(text))
		}
		got, err := echo.EachElem(ctx, s, slices.Values(elems), nil)
		if err != nil || len(got) != len(elems) {
			t.Fatalf("%d results, %v", len(got), err)
		}
		for i := range elems {
			if plain(got[i]) != plain(elems[i]) {
				t.Errorf("%s has become %s", elems[i], got[i])
			}
		}
		none, err := nothing.EachElem(ctx, s, upTo(3), nil)
		if err != nil || !slices.Equal(none, []*string{nil, nil, nil}) {
			t.Errorf("got %v, %v", none, err)
		}
	})
}

// plain writes characters of HTML as they are: JSON may have them either way.
func plain(text json.RawMessage) string {
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&", "\u2028", `\u2028`).Replace(string(text))
}

func TestS4TwoJobsAtOnce(t *testing.T) {
	t.Parallel()
	onTeams(t, 2, func(t *testing.T, s *sleigh.Sleigh) {
		ctx := testContext(t)
		var calls sync.WaitGroup
		for range 4 {
			calls.Go(func() {
				got, err := square.EachElem(ctx, s, upTo(500), nil)
				if err != nil || len(got) != 500 || got[499] != 499*499 {
					t.Errorf("%d results, %v", len(got), err)
				}
			})
		}
		calls.Wait()
	})
}

// TestS4TwoMasters has two masters at a time on one Redis.
func TestS4TwoMasters(t *testing.T) {
	t.Parallel()
	onBackends(t, func(t *testing.T, rdb *redisx.Client) {
		ctx := testContext(t)
		other, err := redisx.Open(ctx, rdb.URL(), nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = other.Close() })
		var calls sync.WaitGroup
		for _, s := range []*sleigh.Sleigh{
			start(t, rdb, &sleigh.Options{Launch: sleigh.Local(2)}), start(t, other, &sleigh.Options{Launch: sleigh.InProcess(2)}),
		} {
			calls.Go(func() {
				got, err := identify.EachElem(ctx, s, upTo(300), nil)
				if err != nil {
					t.Error(err)
				}
				for _, id := range got {
					if !strings.HasPrefix(id.Name, s.Name()+"@") {
						t.Errorf("a task of %s was run by %s", s.Name(), id.Name)
					}
				}
			})
		}
		calls.Wait()
	})
}
