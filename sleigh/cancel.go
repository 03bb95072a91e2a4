package sleigh

import (
	"context"
	"fmt"
	"strings"
)

// CancelJob ends a job, whichever master has it, or if it has none: job is its id or, where only one has it, its name, as
// Status tells them. Results that were not used are lost. Its master's calls return ErrEnded within a second or two, and the
// contexts of its functions end within a second; it does not wait for that. It returns ErrNoJob if there is no such job. It
// blocks for some round trips.
func (s *Sleigh) CancelJob(ctx context.Context, job string) error {
	s.ends.await(ctx)
	if err := s.over(); err != nil {
		return err
	}
	st, err := statusOf(ctx, s.own)
	if err != nil {
		return s.visited(err)
	}
	j, err := st.jobOf(job)
	if err != nil {
		return err
	}
	var last *FinishedJob
	name := ""
	if j.keep > 0 { // it has a name, and is known when it has ended
		name = j.Name
	}
	if j.keep > 0 && !j.last.Done {
		last = cancelled(jobInfo{ID: j.ID, Name: j.Name, Func: j.Func, Keep: j.keep})
	}
	return s.visited(s.endJob(ctx, j.ID, name, last, anybody))
}

// jobOf finds a job by its id or its name. A name that is to have the job outlive its master is that of one job alone.
func (st *Status) jobOf(job string) (*JobStatus, error) {
	var found []*JobStatus
	var ids []string
	for i := range st.Jobs {
		j := &st.Jobs[i]
		if j.ID == job || j.Name == job && j.keep > 0 {
			return j, nil
		}
		if j.Name == job {
			found, ids = append(found, j), append(ids, j.ID)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("sleigh: %w: %q", ErrNoJob, job)
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("sleigh: %d jobs have the name %q: name one by its id, of %s", len(found), job, strings.Join(ids, ", "))
}
