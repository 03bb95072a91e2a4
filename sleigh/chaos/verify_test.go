package chaos

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// verify checks what came of a job: each element has its result, in its place, but for those that are to fail, and those over
// which three workers died. It returns how many these are.
func (j jobSpec) verify(r report, workers int) (poisoned int, err error) {
	if r.Failed != "" {
		return 0, fmt.Errorf("it failed: %s", r.Failed)
	}
	text, err := os.ReadFile(r.File)
	if err != nil {
		return 0, err
	}
	var o outcome
	if err := json.Unmarshal(text, &o); err != nil {
		return 0, err
	}
	failed := map[int]string{}
	for _, e := range o.Failed {
		if failed[e.Index] != "" {
			return 0, fmt.Errorf("element %d failed twice: %s, and %w", e.Index, failed[e.Index], e)
		}
		failed[e.Index] = e.Error()
		switch {
		case len(e.Deaths) >= 3:
			poisoned++
		case j.Workers || !(elem{j.Job, e.Index}).fails() || e.Attempt != attempts || e.Message != errPlanned.Error():
			return 0, fmt.Errorf("an element failed that should not have: %w", e)
		}
	}
	if j.Workers {
		return poisoned, o.verifyRanks(failed, workers)
	}
	return poisoned, j.verifyResults(&o, failed)
}

func (o *outcome) verifyRanks(failed map[int]string, workers int) error {
	if len(o.Ranks) < 1 || len(o.Ranks) > workers {
		return fmt.Errorf("there are results of %d workers, of at most %d", len(o.Ranks), workers)
	}
	for rank, r := range o.Ranks {
		if r != rank && failed[rank] == "" {
			return fmt.Errorf("rank %d says that it is %d", rank, r)
		}
	}
	return nil
}

func (j jobSpec) verifyResults(o *outcome, failed map[int]string) error {
	if len(o.Results) != j.N {
		return fmt.Errorf("there are %d results", len(o.Results))
	}
	seen := map[found]int{}
	for i, r := range o.Results {
		e := elem{j.Job, i}
		switch {
		case failed[i] != "":
			if r != (found{}) {
				return fmt.Errorf("element %d failed (%s), and has the result %v", i, failed[i], r)
			}
			continue
		case r != e.want() || e.fails():
			return fmt.Errorf("element %d has the result %v, want %v", i, r, e.want())
		}
		if seen[r]++; seen[r] > 1 {
			return fmt.Errorf("there is %v twice", r)
		}
	}
	if !slices.IsSorted(o.Told) || len(o.Told) == 0 || o.Told[len(o.Told)-1] != j.N {
		return fmt.Errorf("OnDone was told %v", o.Told)
	}
	return nil
}
