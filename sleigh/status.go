package sleigh

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// silentAfter is how long nothing is heard of a worker until that is its state; it gives a sign of life every two seconds.
const silentAfter = 6 * time.Second

// What status.lua tells of a worker, and of a job.
const (
	workerTexts = 5
	jobTexts    = 6
)

// Status is what a sleigh does. As JSON, durations are in nanoseconds.
type Status struct {
	Workers []WorkerStatus `json:"workers"`           // by rank
	Jobs    []JobStatus    `json:"jobs"`              // in the order in which they began
	Refused []Refusal      `json:"refused,omitempty"` // the last workers that wanted to join and may not
	Hosts   []HostTrouble  `json:"hosts,omitempty"`   // hosts on which a function fails far more often than elsewhere
	// Failed are workers of SSH and Command that could not be launched. It is tried again.
	Failed []LaunchFailure `json:"failed,omitempty"`
}

// State is that of a worker.
type State string

// The states of a worker.
const (
	Joining State = "joining" // its rank is taken, and its process begins
	Idle    State = "idle"
	Working State = "working"
	Leaving State = "leaving" // it claims no more tasks
	Silent  State = "silent"  // nothing was heard of it for 6 s
)

// WorkerStatus is what a worker does. What it tells of itself is up to a second old.
type WorkerStatus struct {
	Rank  int       `json:"rank"`
	State State     `json:"state"`
	Since time.Time `json:"since,omitzero"`  // when it last began to work, or ceased to; zero while it joins
	Tasks []Running `json:"tasks,omitempty"` // what it runs
	// Done and Failed are elements since it joined; those that failed are done, too.
	Done   int           `json:"done"`
	Failed int           `json:"failed"`
	Mean   time.Duration `json:"mean"`          // that an element took
	Beat   time.Duration `json:"beat"`          // since its last sign of life; -1 if there was none
	Info   WorkerInfo    `json:"info,omitzero"` // zero while it joins
}

// JobStatus is how far a job is. Submitted is the sum of Backlog, Queued, Claimed and Done, all of them elements. Where very
// many wait, Backlog and Queued are estimates.
type JobStatus struct {
	ID        string        `json:"id"`
	Name      string        `json:"name"`
	Func      string        `json:"func"`
	Priority  int           `json:"priority"`
	Since     time.Time     `json:"since"`     // when it began
	Submitted int           `json:"submitted"` // that Redis was given; a job with many has more, which follow as there is room
	Backlog   int           `json:"backlog"`   // that wait for room among those handed out
	Queued    int           `json:"queued"`    // handed out, and no worker has them
	Claimed   int           `json:"claimed"`   // that workers have
	Done      int           `json:"done"`      // also those that failed
	Failed    int           `json:"failed"`
	Total     int           `json:"total"` // elements there will be; -1 if it is not known
	Rate      float64       `json:"rate"`  // elements done in a second, lately
	Left      time.Duration `json:"left"`  // time until all are done, at this rate; -1 if it is not known
	// Master is who has it; zero if none is heard of.
	Master Master `json:"master,omitzero"`
	// Alone is for how long it has had no master, in a team that lasts; 0 while it has one.
	Alone time.Duration `json:"alone,omitzero"`

	last  mastery       // who has it, or had it last
	keep  time.Duration // of a job that outlives its master
	ranks []int         // of EachWorker
}

// Status says what workers and jobs do. It blocks for some round trips, and returns the errors of Find.
func (s *Sleigh) Status(ctx context.Context) (*Status, error) {
	s.ends.await(ctx)
	if err := s.over(); err != nil {
		return nil, err
	}
	st, err := statusOf(ctx, s.own)
	if err != nil {
		return nil, s.visited(err)
	}
	var refused []Refusal
	if s.visits {
		if refused, err = readRefusals(ctx, s.own); err != nil {
			return nil, s.visited(err)
		}
	}
	if !s.lasts {
		s.nameMaster(st)
	}
	s.mu.Lock()
	if s.visits {
		s.there, s.refusals = st.headcount(s.workers), refused
	}
	st.Refused = slices.Clone(s.refusals)
	s.mu.Unlock()
	jobs := s.jobsByID()
	for i := range st.Jobs {
		if j := jobs[st.Jobs[i].ID]; j != nil {
			j.addTo(&st.Jobs[i])
		}
	}
	st.Hosts = s.hosts.troubles()
	st.Failed = s.launches.failures(st.Workers)
	return st, nil
}

// nameMaster says who has the jobs of a team that has one master.
func (s *Sleigh) nameMaster(st *Status) {
	master := s.told.Master
	if !s.visits {
		master = s.asMaster()
	}
	for i := range st.Jobs {
		master.Since = st.Jobs[i].Since
		st.Jobs[i].Master = master
	}
}

// headcount says who is there, where there are at least so many ranks.
func (st *Status) headcount(least int) headcount {
	there := headcount{Workers: len(st.Workers), Count: least}
	for _, w := range st.Workers {
		there.Slots, there.Count = there.Slots+w.Info.Slots, max(there.Count, w.Rank+1)
	}
	return there
}

// addTo adds what only the master knows.
func (j *job) addTo(st *JobStatus) {
	j.mu.Lock()
	defer j.mu.Unlock()
	st.Rate = j.speed.rate(time.Now())
	if j.ended {
		st.Total = j.next - j.others
	}
	st.estimate()
}

// estimate estimates the time that is left.
func (st *JobStatus) estimate() {
	if st.Left = -1; st.Total >= 0 && st.Rate > 0 {
		st.Left = time.Duration(float64(max(st.Total-st.Done, 0)) / st.Rate * float64(time.Second))
	}
}

// statusOf reads what Redis knows of the sleigh that a workspace is of.
func statusOf(ctx context.Context, own *workspace.Workspace) (*Status, error) {
	ranks, ids, err := look(ctx, own)
	if err != nil {
		return nil, err
	}
	variables, args := []string{taskVar}, []any{len(ranks)}
	for _, rank := range ranks {
		variables = append(variables, workerVarOf(rank), statusVarOf(rank), progressVarOf(rank), taskVarOf(rank))
		args = append(args, rank)
	}
	for _, id := range ids {
		variables = append(variables, countVarOf(id), backlogVarOf(id), jobVarOf(id), masterVarOf(id))
		args = append(args, id)
	}
	_, texts, err := own.Do(ctx, statusScript, variables, args...)
	if err != nil {
		return nil, err
	}
	if len(texts) != workerTexts*len(ranks)+jobTexts*len(ids) {
		return nil, fmt.Errorf("sleigh: %d texts came for %d workers and %d jobs", len(texts), len(ranks), len(ids))
	}
	st := &Status{Workers: []WorkerStatus{}, Jobs: []JobStatus{}}
	for i, rank := range ranks {
		w, err := workerStatus(rank, texts[workerTexts*i:workerTexts*(i+1)])
		if err != nil {
			return nil, err
		}
		st.Workers = append(st.Workers, w)
	}
	texts = texts[workerTexts*len(ranks):]
	for i := range ids {
		if texts[jobTexts*i] == "" {
			continue // it has ended
		}
		j, err := jobStatus(texts[jobTexts*i : jobTexts*(i+1)])
		if err != nil {
			return nil, err
		}
		st.Jobs = append(st.Jobs, j)
	}
	slices.SortFunc(st.Jobs, func(a, b JobStatus) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID)) })
	return st, nil
}

// workerStatus reads worker@R, status@R, progress@R, and the ages of the last sign of life and of status@R in ms.
func workerStatus(rank int, texts []string) (WorkerStatus, error) {
	w := WorkerStatus{Rank: rank, State: Joining, Beat: -1}
	if texts[0] == "" {
		return w, nil
	}
	var r report
	if err := json.Unmarshal([]byte(texts[0]), &w.Info); err != nil {
		return w, fmt.Errorf("sleigh: what is known of the worker of rank %d is not readable: %w", rank, err)
	}
	r.State, r.Since = Idle, w.Info.Since
	if texts[1] != "" {
		if err := json.Unmarshal([]byte(texts[1]), &r); err != nil {
			return w, fmt.Errorf("sleigh: what the worker of rank %d does is not readable: %w", rank, err)
		}
	}
	ages, err := numbers(texts[3:])
	if err != nil {
		return w, err
	}
	age, wrote := ages[0], time.Duration(ages[1])*time.Millisecond
	w.State, w.Since, w.Tasks, w.Done, w.Failed, w.Mean = r.State, r.Since, r.Tasks, r.Done, r.Failed, r.Mean
	for i, task := range w.Tasks {
		if wrote >= 0 {
			w.Tasks[i].For = max(wrote+r.At.Sub(task.Since), 0)
		}
	}
	if err := w.addProgress(texts[2]); err != nil {
		return w, err
	}
	if age >= 0 {
		w.Beat = time.Duration(age) * time.Millisecond
	}
	if age < 0 || w.Beat > silentAfter {
		w.State = Silent
	}
	return w, nil
}

// addProgress adds what functions have told of how far they are, unless it is left over from another worker of the rank.
func (w *WorkerStatus) addProgress(text string) error {
	var note progressNote
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), &note); err != nil {
		return fmt.Errorf("sleigh: how far the worker of rank %d is cannot be read: %w", w.Rank, err)
	}
	for i, r := range w.Tasks {
		for _, p := range note.Elements {
			if note.Client == w.Info.Client && p.Job == r.Job && p.Index == r.Index {
				w.Tasks[i].Progress = p
			}
		}
	}
	return nil
}

// jobStatus reads count:J, job:J, the elements in backlog and in queues, master:J, and for how many ms there has been none.
func jobStatus(texts []string) (JobStatus, error) {
	var count struct{ Submitted, Done, Failed int }
	var info jobInfo
	if err := json.Unmarshal([]byte(texts[0]), &count); err != nil {
		return JobStatus{}, fmt.Errorf("sleigh: the numbers of a job are not readable: %w", err)
	}
	if err := json.Unmarshal([]byte(texts[1]), &info); err != nil && texts[1] != "" {
		return JobStatus{}, fmt.Errorf("sleigh: what is known of a job is not readable: %w", err)
	}
	waiting, err := numbers([]string{texts[2], texts[3], texts[5]})
	if err != nil {
		return JobStatus{}, err
	}
	var last mastery
	if texts[4] != "" {
		if err := json.Unmarshal([]byte(texts[4]), &last); err != nil {
			return JobStatus{}, fmt.Errorf("sleigh: who has a job is not readable: %w", err)
		}
	}
	j := JobStatus{
		ID: info.ID, Name: info.Name, Func: info.Func, Priority: info.Priority, Since: info.Began,
		Submitted: count.Submitted, Done: count.Done, Failed: count.Failed, Total: -1,
		Alone: time.Duration(waiting[2]) * time.Millisecond, last: last, keep: info.Keep, ranks: info.Ranks,
	}
	if j.Alone == 0 {
		j.Master = last.Master
	}
	left := j.Submitted - j.Done
	j.Backlog = min(waiting[0], left)
	j.Queued = min(waiting[1], left-j.Backlog)
	j.Claimed = left - j.Backlog - j.Queued
	if age := time.Since(j.Since).Seconds(); age > 0 {
		j.Rate = float64(j.Done) / age
	}
	j.estimate()
	return j, nil
}
