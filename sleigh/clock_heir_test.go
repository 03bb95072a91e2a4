package sleigh_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// heirs has a team that lasts in the bubble, of one worker. heir makes a master of it on a machine of its own.
func (b *bubble) heirs() (heir func() (*sleigh.Sleigh, *machine)) {
	join := func(opts *sleigh.Options) (*sleigh.Sleigh, *machine) {
		b.Helper()
		rdb, on := b.clientOf("redis://bubble?retry=2s")
		s, err := sleigh.Join(b.ctx, rdb, "farm", opts)
		b.must(err)
		b.Cleanup(func() {
			if frozen, dead := on.thaw(), on.revive(); frozen || dead {
				time.Sleep(settled)
			}
			b.must(s.Stop(b.ctx))
		})
		return s, on
	}
	join(&sleigh.Options{Launch: sleigh.InProcess(1)})
	return func() (*sleigh.Sleigh, *machine) { return join(nil) }
}

// tail is a job all of whose elements are done, while a loop has been given but a few of the results.
type tail struct {
	b      *bubble
	master *sleigh.Sleigh
	job    *sleigh.Job[int] // nil for Accumulate
	cancel context.CancelFunc
	ending sync.WaitGroup
}

// tailOf is how many elements it has.
const tailOf = 100

var tailEnds = []struct {
	name string
	end  func(l *tail)
	want error
	lost bool // what the loop was not given
}{
	{"context", func(l *tail) { l.cancel() }, context.Canceled, false},
	{"Stop", func(l *tail) { l.ending.Go(func() { l.b.must(l.master.Stop(l.b.ctx)) }) }, sleigh.ErrStopped, false},
	{"Detach", func(l *tail) { l.b.must(l.job.Detach(l.b.ctx)) }, sleigh.ErrDetached, false},
	{"Cancel", func(l *tail) { l.job.Cancel() }, sleigh.ErrEnded, true},
}

// TestClockS13Tail has a job end in several ways when all of its elements are done, and a loop that is slow has but three of the
// results. The loop is told why it gets no more, and the next master is given what it did not get.
func TestClockS13Tail(t *testing.T) {
	for _, by := range tailEnds {
		t.Run("All "+by.name, func(t *testing.T) {
			inBubble(t, 1, func(b *bubble) { b.endTail(by.end, by.want, by.lost, (*tail).all) })
		})
	}
	for _, by := range tailEnds[:2] {
		t.Run("Accumulate "+by.name, func(t *testing.T) {
			inBubble(t, 1, func(b *bubble) { b.endTail(by.end, by.want, by.lost, (*tail).accumulate) })
		})
	}
}

func (b *bubble) endTail(end func(*tail), want error, lost bool, loop func(l *tail, ctx context.Context, given func(i int)) error) {
	heir := b.heirs()
	l := &tail{b: b}
	l.master, _ = heir()
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	l.cancel = cancel
	seen := map[int]int{}
	err := loop(l, ctx, func(i int) {
		if seen[i]++; len(seen) == 3 {
			time.Sleep(s) // all are done
			end(l)
			time.Sleep(s)
		}
	})
	l.ending.Wait()
	if !errors.Is(err, want) || strings.Count(err.Error(), "sleigh: ") > 1 {
		b.Errorf("after %d of %d the loop ends by %v", len(seen), tailOf, err)
	}
	if len(seen) > 3 {
		b.Errorf("the loop is given %d", len(seen)-3)
	}
	other, _ := heir()
	job, err := square.Attach(b.ctx, other, "tail", nil)
	if lost {
		if !errors.Is(err, sleigh.ErrNoJob) {
			b.Errorf("Attach: %v", err)
		}
		return
	}
	b.must(err)
	for r, err := range job.All(b.ctx) {
		b.must(err)
		seen[r.Index]++
	}
	if len(seen) != tailOf || twiceOf(seen) > 1 { // that which All's loop was about counts as not used
		b.Errorf("in all %d of %d were given, %d twice", len(seen), tailOf, twiceOf(seen))
	}
}

func (l *tail) all(ctx context.Context, given func(i int)) (last error) {
	var err error
	l.job, err = square.Submit(ctx, l.master, upTo(tailOf), &sleigh.JobOptions{Name: "tail", Chunk: tailOf})
	l.b.must(err)
	for r, err := range l.job.All(l.b.ctx) {
		if last = err; err == nil {
			given(r.Index)
		}
	}
	return last
}

func (l *tail) accumulate(ctx context.Context, given func(i int)) error {
	o := &sleigh.JobOptions{Name: "tail", Chunk: tailOf}
	return square.Accumulate(ctx, l.master, upTo(tailOf), o, func(i, _ int) error {
		given(i)
		return nil
	})
}

// TestClockS13PartHeldUp attaches to a job that was broken off before all elements were handed out. The master does not reach
// Redis for a while when its loop asks for the last one of those that there are. It is given that.
func TestClockS13PartHeldUp(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		heir := b.heirs()
		first, _ := heir()
		ctx, cancel := context.WithCancel(b.ctx)
		defer cancel()
		const n = 20
		_, err := square.Submit(ctx, first, func(yield func(int) bool) {
			for i := range n {
				if !yield(i) {
					return
				}
			}
			<-ctx.Done()
		}, &sleigh.JobOptions{Name: "part", Chunk: 1})
		b.must(err)
		b.until(s)
		cancel()
		other, on := heir()
		job, err := square.Attach(b.ctx, other, "part", nil)
		b.must(err)
		given := 0
		var last error
		for _, err := range job.All(b.ctx) {
			if last = err; err == nil {
				given++
			}
			if given == n-1 {
				time.Sleep(ms) // the last one is there, too
				on.die()
				time.Sleep(7 * s) // so that nothing more is used
				time.AfterFunc(3*s, func() { on.revive() })
			}
		}
		if given != n || !errors.Is(last, sleigh.ErrIncomplete) {
			b.Errorf("%d of %d are given, then %v", given, n, last)
		}
		job, err = square.Attach(b.ctx, other, "part", nil)
		b.must(err)
		last = nil
		for _, last = range job.All(b.ctx) { //nolint:revive // The last one counts.
		}
		if !errors.Is(last, sleigh.ErrIncomplete) {
			b.Errorf("once more: %v", last)
		}
	})
}

// TestClockS13Replaced cuts a master off while its loop goes on slowly. Another one gets the job. The two use no result at the
// same time, and the first one is told what became of the job.
func TestClockS13Replaced(t *testing.T) {
	for name, finishes := range map[string]bool{"held": false, "finished": true} {
		t.Run(name, func(t *testing.T) { inBubble(t, 1, func(b *bubble) { b.replace(finishes) }) })
	}
}

func (b *bubble) replace(finishes bool) {
	heir := b.heirs()
	old, on := heir()
	other, _ := heir()
	const n = 400
	const cut = 5*s + 950*ms // just before a sign of life that comes each 2 s, and just after one that comes with what was used
	o := &sleigh.JobOptions{Name: "x", Chunk: 5}
	job, err := square.Submit(b.ctx, old, upTo(n), o)
	b.must(err)
	b.until(s)
	var mu sync.Mutex
	used := map[int]time.Duration{}
	var lastUse time.Duration // of the first one
	var last error
	var using sync.WaitGroup
	using.Go(func() {
		for r, err := range job.All(b.ctx) {
			if last = err; err != nil {
				break
			}
			mu.Lock()
			lastUse = b.now()
			used[r.Index] = lastUse
			mu.Unlock()
			time.Sleep(50 * ms)
		}
	})
	b.until(cut)
	on.die()
	successor, err := square.Submit(b.ctx, other, upTo(n), o)
	b.must(err)
	taken := b.now()
	count := 0
	for r, err := range successor.All(b.ctx) {
		b.must(err)
		mu.Lock()
		if at, twice := used[r.Index]; twice && at < cut-100*ms {
			b.Errorf("element %d was used at %v", r.Index, at)
		}
		used[r.Index] = b.now()
		mu.Unlock()
		if count++; count == 10 && !finishes {
			on.revive()
			time.Sleep(settled)
		}
	}
	on.revive()
	using.Wait()
	if _, held := errors.AsType[*sleigh.HeldError](last); held == finishes || finishes && !errors.Is(last, sleigh.ErrFinished) {
		b.Errorf("the first one ended by %v", last)
	}
	if lastUse >= taken {
		b.Errorf("the first one used a result at %v, the second one has the job since %v", lastUse, taken)
	}
	if len(used) != n {
		b.Errorf("%d of %d were given", len(used), n)
	}
}

// TestClockS13Interlude detaches from a job that is larger than what is handed out at a time. The next master uses some of it and
// goes away: one that attached, or the program itself while it passes over its elements. All of the job is still there.
func TestClockS13Interlude(t *testing.T) {
	for _, by := range []string{"attaches", "has it again"} {
		t.Run(by, func(t *testing.T) {
			inBubble(t, 1, func(b *bubble) {
				heir := b.heirs()
				first, _ := heir()
				const n = 60
				o := &sleigh.JobOptions{Name: "x", Chunk: 1}
				job, err := nap.Submit(b.ctx, first, upTo(n), o)
				b.must(err)
				b.must(job.Detach(b.ctx))
				second, _ := heir()
				ctx, cancel := context.WithCancel(b.ctx)
				defer cancel()
				if by == "attaches" {
					job, err = nap.Attach(ctx, second, "x", nil)
				} else {
					job, err = nap.Submit(ctx, second, func(func(int) bool) { <-ctx.Done() }, o)
				}
				b.must(err)
				seen := map[int]int{}
				for r, err := range job.All(b.ctx) {
					if err != nil {
						break
					}
					if seen[r.Index]++; len(seen) == 5 {
						cancel()
						time.Sleep(200 * ms)
					}
				}
				third, _ := heir()
				job, err = nap.Attach(b.ctx, third, "x", nil)
				b.must(err)
				for r, err := range job.All(b.ctx) {
					b.must(err)
					seen[r.Index]++
				}
				if len(seen) != n {
					b.Errorf("%d of %d were given", len(seen), n)
				}
			})
		})
	}
}

// nap takes 200 ms.
var nap = sleigh.Register("nap", func(_ context.Context, x int) (int, error) {
	time.Sleep(200 * ms)
	return x, nil
})

// TestClockS13NotNoted has Redis be away, for longer than calls try, while a job has nothing to do but to note what its loop uses.
// The loop waits, and is given all.
func TestClockS13NotNoted(t *testing.T) {
	inBubble(t, 1, func(b *bubble) {
		heir := b.heirs()
		master, on := heir()
		const n = 30
		job, err := square.Submit(b.ctx, master, upTo(n), &sleigh.JobOptions{Name: "x"})
		b.must(err)
		b.until(s)
		given := 0
		for _, err := range job.All(b.ctx) {
			b.must(err)
			if given++; given == 5 {
				on.die()
				time.AfterFunc(10*s, func() { on.revive() })
			}
			time.Sleep(500 * ms)
		}
		if given != n || b.now() < 16*s {
			b.Errorf("%d of %d are given until %v", given, n, b.now())
		}
	})
}
