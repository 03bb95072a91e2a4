package each

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// failures are the elements of a job with a name that failed. They are in a variable of the user workspace, where Retry finds
// them; those of an earlier job of the name are dropped with the first one of the next.
type failures struct {
	s    *sleigh.Sleigh
	name string // of the job
	job  string // its id

	begun  bool
	values int // that read has seen
}

// failure is one of them.
type failure struct {
	Job     string  `json:"job"` // its id
	Element element `json:"element"`
}

func (f *failures) variable() workspace.Var[failure] {
	return workspace.NewVar[failure](f.s.User(), "each:failed:"+f.name)
}

// add adds one.
func (f *failures) add(ctx context.Context, e element) error {
	v := f.variable()
	if !f.begun {
		known, err := f.s.User().Known(ctx, v.Name())
		if known && err == nil {
			var first failure
			if first, known, err = v.TryFind(ctx); known && err == nil && first.Job != f.job {
				err = v.Delete(ctx)
			}
		}
		if err != nil && !errors.Is(err, workspace.ErrNoVar) {
			return err
		}
		f.begun = true
	}
	return v.Store(ctx, failure{f.job, e})
}

// read gives those of the last job of the name that has ended, in the order of their numbers.
func (f *failures) read(ctx context.Context) ([]element, error) {
	ended, err := f.s.Finished(ctx)
	if err != nil {
		return nil, err
	}
	for _, j := range ended {
		if j.Name == f.name {
			f.job = j.ID
		}
	}
	if f.job == "" {
		return nil, fmt.Errorf("each: %w: none of the name %q has ended lately", sleigh.ErrNoJob, f.name)
	}
	v := f.variable()
	if known, err := f.s.User().Known(ctx, v.Name()); !known || err != nil {
		return nil, err
	}
	bySeq := map[int]element{}
	for failed, err := range v.IFind().Try(ctx) {
		if err != nil {
			return nil, err
		}
		f.values++
		if failed.Job == f.job {
			bySeq[failed.Element.Seq] = failed.Element // a master that was killed may have left it twice
		}
	}
	elements := make([]element, 0, len(bySeq))
	for _, seq := range slices.Sorted(maps.Keys(bySeq)) {
		elements = append(elements, bySeq[seq])
	}
	return elements, nil
}

// replace has those that are left take the place of those that read gave.
func (f *failures) replace(ctx context.Context, left map[int]element) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanFor)
	defer cancel()
	v := f.variable()
	if len(left) == 0 {
		err := v.Delete(ctx)
		if errors.Is(err, workspace.ErrNoVar) {
			err = nil
		}
		return err
	}
	for _, seq := range slices.Sorted(maps.Keys(left)) {
		if err := v.Store(ctx, failure{f.job, left[seq]}); err != nil {
			return err
		}
	}
	for range f.values {
		if _, _, err := v.TryFetch(ctx); err != nil {
			return err
		}
	}
	return nil
}
