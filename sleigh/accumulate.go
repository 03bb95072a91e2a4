package sleigh

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Accumulate is EachElem that hands each result to use as it comes, with its index, instead of keeping them; with
// JobOptions.Ordered in the order of the elements. It calls use one at a time, in the goroutine that called it. An error of
// use ends the job and is that of Accumulate; what was handed over before stays so. A job that outlives its master (see
// JobOptions.Name) does not end by it, but is left to the next one, which is given that result again.
func (f Func[A, R]) Accumulate(ctx context.Context, s *Sleigh, elems iter.Seq[A], opts *JobOptions, use func(index int, value R) error) error {
	o, err := opts.resolve(f.name)
	if err != nil {
		return err
	}
	a := &accumulator[R]{results: newResults[R](), ctx: ctx, ordered: o.Ordered, use: use}
	j := newJob(s, f.name, o, newSequence(elems), a)
	if err := j.runAtOnce(ctx); err != nil {
		if a.err != nil {
			return j.of(a.err)
		}
		return err
	}
	if err := a.last(); err != nil {
		return j.of(err)
	}
	if len(j.failed) > 0 {
		return j.failed
	}
	return nil
}

// accumulator is a sink that hands results over.
type accumulator[R any] struct {
	*results[R]
	ctx     context.Context
	ordered bool
	use     func(index int, value R) error
	err     error
	using   time.Time // since when use has a result; zero if it has none
}

func (a *accumulator[R]) heldUp() (waiting int, since time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.queue) + len(a.early), a.using
}

func (a *accumulator[R]) take(r *result, skip func(i int) bool) error {
	if err := a.results.take(r, skip); err != nil {
		return err
	}
	return a.handOver()
}

// last hands over what elements that failed may have held up.
func (a *accumulator[R]) last() error { return a.handOver() }

// handOver hands over what has come.
func (a *accumulator[R]) handOver() error {
	for {
		a.mu.Lock()
		for a.isHeld() {
			a.changed.Wait()
		}
		var d arrival[R]
		ok := false
		if over := a.stopped || a.ctx.Err() != nil; !over || a.used == nil { // else Redis would not know of it
			d, ok = a.pop(a.ordered)
		}
		a.using = time.Time{}
		if ok && d.err == nil {
			a.using = time.Now()
		}
		a.mu.Unlock()
		if !ok {
			return nil
		}
		if d.err != nil {
			a.isUsed(d.Index)
			continue
		}
		if a.err = a.use(d.Index, d.Value); a.err != nil {
			return errors.Join(errAccumulator, a.err)
		}
		a.isUsed(d.Index)
	}
}

func (a *accumulator[R]) isUsed(i int) {
	if a.used != nil {
		a.used(i)
	}
}

var errAccumulator = errors.New("its results were not taken")
