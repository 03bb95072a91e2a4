package sleigh

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

const (
	answerWithin = 5 * time.Second // Redis, or that is the reason
	movesWithin  = 5 * time.Second // a job that has had no result for so long does not move
	longFor      = 5 * time.Second // an element that runs for less does not take long
	longFactor   = 5               // nor one that runs for no more than so many times as long as others
)

// Explain says why nothing moves, the most likely cause first; String of each says it in words. It gives nothing if there is
// a worker and all jobs move: each had a result in the last 5 s, or runs elements for less than 5 s, or for less than five
// times as long as its elements take. A host on which a function fails and not on others is told of all the same.
//
// Of jobs of other masters it cannot tell what only these know: results that nobody takes, elements that do not come, full
// windows. It says who their masters are.
//
// It blocks for some round trips, and for some 5 s if Redis does not answer, which is a reason then. Times are by the clocks of
// Redis and of this process alone. It returns the errors of Find.
func (s *Sleigh) Explain(ctx context.Context) ([]Reason, error) {
	s.ends.await(ctx)
	if err := s.over(); err != nil {
		return nil, err
	}
	asked := time.Now()
	limited, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	v, err := s.survey(limited)
	switch {
	case err == nil:
		return v.reasons(), nil
	case ctx.Err() != nil || limited.Err() == nil || isOver(err) || errors.Is(err, workspace.ErrDamaged):
		return nil, s.visited(err)
	}
	return []Reason{{Cause: NoAnswer, For: time.Since(asked), Detail: err.Error()}}, nil
}

// survey is all that reasons are found in.
type survey struct {
	s     *Sleigh
	st    *Status
	jobs  []jobView
	held  []held                       // by clients that are silent
	kept  map[string]int               // texts with results in Redis, by the ids of jobs
	lacks map[string][]int             // ranks that are not there and have tasks of EachWorker, by the ids of other masters' jobs
	hosts map[string]string            // of clients in held, by their names
	waits map[string][]workspace.Wait  // what workers wait for, by their clients of User
	vars  map[string]workspace.VarInfo // of these
}

// held is tasks that a silent client has.
type held struct {
	client          string
	age, in         time.Duration // age is -1 if there was no sign of life
	tasks, elements int
}

func (s *Sleigh) survey(ctx context.Context) (*survey, error) {
	v := &survey{s: s, kept: map[string]int{}, hosts: map[string]string{}, waits: map[string][]workspace.Wait{}, vars: map[string]workspace.VarInfo{}}
	if err := v.lookAtTeam(ctx); err != nil {
		return nil, err
	}
	v.lookAtJobs()
	if err := v.lookAtRanks(ctx); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(v.there(), func(w WorkerStatus) bool { return len(v.running(&w)) > 0 }) {
		if err := v.lookAtUser(ctx); err != nil {
			return nil, err
		}
		v.lookAtJobs() // elements may have ended meanwhile
	}
	return v, nil
}

// lookAtJobs adds what the master knows, which is newer than what workers tell.
func (v *survey) lookAtJobs() {
	running := map[string][]int{}
	for _, w := range v.st.Workers {
		for _, r := range w.Tasks {
			running[r.Job] = append(running[r.Job], r.Index)
		}
	}
	v.jobs = nil
	runs := map[string]map[int]bool{}
	for id, j := range v.s.jobsByID() {
		slices.Sort(running[id])
		view := j.view(id, running[id])
		v.jobs, runs[id] = append(v.jobs, view), view.runs
	}
	slices.SortFunc(v.jobs, func(a, b jobView) int { return cmp.Compare(a.id, b.id) })
	for i := range v.st.Workers {
		w := &v.st.Workers[i]
		w.Tasks = slices.DeleteFunc(w.Tasks, func(r Running) bool {
			if of, own := runs[r.Job]; own {
				return !of[r.Index]
			}
			return !slices.ContainsFunc(v.st.Jobs, func(j JobStatus) bool { return j.ID == r.Job }) // the job has ended
		})
	}
}

// lookAtTeam reads what the sleigh's own workspace has.
func (v *survey) lookAtTeam(ctx context.Context) (err error) {
	if v.st, err = v.s.Status(ctx); err != nil {
		return err
	}
	variables, ids := []string{taskVar}, []string{}
	for _, w := range v.st.Workers {
		if w.State == Silent {
			variables = append(variables, taskVarOf(w.Rank))
		}
		v.hosts[w.Info.Client] = w.Info.Host
	}
	args := []any{len(variables)}
	for _, name := range variables[1:] {
		args = append(args, name)
	}
	for _, j := range v.st.Jobs {
		variables, args, ids = append(variables, resultVarOf(j.ID)), append(args, j.ID), append(ids, j.ID)
	}
	_, texts, err := v.s.own.Do(ctx, explainScript, variables, args...)
	if err != nil {
		return err
	}
	if len(texts) < len(ids) {
		return fmt.Errorf("sleigh: %d texts came for %d jobs", len(texts), len(ids))
	}
	kept, err := numbers(texts[:len(ids)])
	if err != nil {
		return err
	}
	for i, id := range ids {
		v.kept[id] = kept[i]
	}
	unknown := false
	for some := range slices.Chunk(texts[len(ids):], 5) {
		n, err := numbers(some[1:])
		if err != nil {
			return err
		}
		h := held{client: some[0], age: time.Duration(n[0]) * time.Millisecond, in: time.Duration(n[1]) * time.Millisecond, tasks: n[2], elements: n[3]}
		if n[0] < 0 {
			h.age = -1
		}
		v.held = append(v.held, h)
		unknown = unknown || v.hosts[h.client] == ""
		for i := range v.st.Workers { // some were just not silent yet when their states were read
			if w := &v.st.Workers[i]; w.Info.Client == h.client {
				w.State, w.Beat = Silent, max(w.Beat, h.age)
			}
		}
	}
	if !unknown {
		return nil
	}
	clients, err := v.s.own.ListClients(ctx) // of workers whose ranks are free by now
	for _, c := range clients {
		v.hosts[c.Name] = cmp.Or(v.hosts[c.Name], c.Host)
	}
	return err
}

// lookAtRanks reads which workers jobs of other masters wait for that are not there.
func (v *survey) lookAtRanks(ctx context.Context) error {
	var missing []string
	for _, j := range v.st.Jobs {
		if v.s.knows(j.ID) || time.Since(j.Since) < movesWithin {
			continue
		}
		for _, rank := range v.notThere(j.ranks) {
			missing = append(missing, taskVarOf(rank))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	vars, err := v.s.own.DescribeVars(ctx, slices.Compact(missing)...)
	v.lacks = map[string][]int{}
	for _, j := range v.st.Jobs {
		for _, rank := range v.notThere(j.ranks) {
			waits := func(info workspace.VarInfo) bool { return info.Name == taskVarOf(rank) && info.Values+info.Claimed > 0 }
			if slices.ContainsFunc(vars, waits) && !v.s.knows(j.ID) {
				v.lacks[j.ID] = append(v.lacks[j.ID], rank)
			}
		}
	}
	return err
}

// lookAtUser reads what functions wait for.
func (v *survey) lookAtUser(ctx context.Context) error {
	clients, err := v.s.user.ListClients(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, c := range clients {
		v.waits[c.Name] = c.Waits
		for _, w := range c.Waits {
			names = append(names, w.Variable)
		}
	}
	slices.Sort(names)
	vars, err := v.s.user.DescribeVars(ctx, slices.Compact(names)...)
	for _, info := range vars {
		v.vars[info.Name] = info
	}
	return err
}

// command starts a worker on any machine; empty if none from outside can join.
func (s *Sleigh) command() string {
	if server := s.rdb.String(); server == "embedded" || server == "local" {
		return ""
	}
	program := filepath.Base(os.Args[0])
	if s.visits {
		program = s.told.Name
	}
	return fmt.Sprintf("REDIS_URL=%s %s=%s %s", s.rdb, teamEnv, s.Name(), program)
}
