package sleigh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// Outcome is how a job ended.
type Outcome string

// The outcomes of a job. Finished is one all elements of which are done, some of which may have failed.
const (
	Finished       Outcome = "finished"
	StoppedAtError Outcome = "stopped at an error"
	Cancelled      Outcome = "cancelled"
)

// FinishedJob is a named job of a team that lasts, when it has ended. Done and Failed are elements; those that failed are
// done, too. If it was cancelled by somebody else than its master, a failure counts which a master has noted.
type FinishedJob struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Func    string    `json:"func"`
	Done    int       `json:"done"`
	Failed  int       `json:"failed"`
	Outcome Outcome   `json:"outcome"`
	Ended   time.Time `json:"ended"` // by the clock of the one that ended it
	Until   time.Time `json:"until"` // when it is forgotten
}

// Finished lists the named jobs that have ended lately, the last 1,000 at most, in the order in which they ended; those whose
// results were asked for again, in that of the first time. It blocks for some round trips, and returns the errors of Find.
func (s *Sleigh) Finished(ctx context.Context) ([]FinishedJob, error) {
	all, err := finishedOf(ctx, s.own)
	return all, s.visited(err)
}

func finishedOf(ctx context.Context, own *workspace.Workspace) ([]FinishedJob, error) {
	if known, err := own.Known(ctx, finishedVar); !known || err != nil { // asking for it would make it known
		return nil, err
	}
	var all []FinishedJob
	for f, err := range workspace.NewVar[FinishedJob](own, finishedVar).IFind().Try(ctx) {
		if err != nil {
			return nil, err
		}
		if time.Now().Before(f.Until) {
			all = append(all, f)
		}
	}
	return all, nil
}

// refuseFinished returns ErrFinished if a job of this name has finished lately.
func (s *Sleigh) refuseFinished(ctx context.Context, name string) error {
	all, err := s.Finished(ctx)
	if err != nil {
		return err
	}
	for _, f := range all {
		if f.Name == name && f.Outcome == Finished {
			return fmt.Errorf("%w: %q, at %s", ErrFinished, name, f.Ended.Format(time.DateTime))
		}
	}
	return nil
}

// endJob deletes what Redis has of a job. In a team that lasts, last is what is to be known of it later, nil: nothing; and master
// who may have it, if it is not the caller; anybody: whoever has it.
func (s *Sleigh) endJob(ctx context.Context, id, name string, last *FinishedJob, master string) error {
	if !s.lasts {
		return forgetJobs(ctx, s.own, true, id)
	}
	return endJob(ctx, s.own, id, name, last, master)
}

const anybody = "*"

// endJob is for teams that last.
func endJob(ctx context.Context, own *workspace.Workspace, id, name string, last *FinishedJob, master string) error {
	variables := append(variablesOf(id), masterVarOf(id), stateVarOf(id), failedVarOf(id), finishedVar)
	text := ""
	if last != nil {
		text = string(asJSON(last))
	}
	if name != "" {
		variables = append(variables, namedVarOf(name))
	}
	_, _, err := own.Do(ctx, endScript, variables, id, name, text, master)
	return err
}

// forgetJobs is endJob for teams that end with their masters, of several jobs. Whoever waits for their results learns of it, but
// this client's own waiters only if they are to be told.
func forgetJobs(ctx context.Context, own *workspace.Workspace, tellsOwn bool, ids ...string) error {
	var variables []string
	args := []any{flag(tellsOwn)}
	for i, id := range ids {
		variables = append(variables, variablesOf(id)...)
		if i > 0 {
			args = append(args, id)
		}
	}
	_, _, err := own.Do(ctx, forgetScript, variables, args...)
	return err
}

// variablesOf are those that every job has.
func variablesOf(id string) []string {
	return []string{countVarOf(id), backlogVarOf(id), resultVarOf(id), jobVarOf(id)}
}

// lookAfterJobs ends jobs that nobody has any more, and pauses those that are to pause then.
func lookAfterJobs(ctx context.Context, own *workspace.Workspace) error {
	_, ids, err := look(ctx, own)
	if err != nil {
		return err
	}
	variables, args := []string{taskVar}, []any{}
	for _, id := range ids {
		variables = append(variables, countVarOf(id), backlogVarOf(id), resultVarOf(id), jobVarOf(id), masterVarOf(id))
		args = append(args, id)
	}
	if len(args) == 0 {
		return nil
	}
	_, texts, err := own.Do(ctx, orphanScript, variables, args...)
	if err != nil {
		return err
	}
	var failed []error
	for ; len(texts) >= 2; texts = texts[2:] {
		failed = append(failed, endOrphan(ctx, own, texts[0], texts[1]))
	}
	return errors.Join(failed...)
}

// endOrphan ends a job that nobody has any more.
func endOrphan(ctx context.Context, own *workspace.Workspace, master, description string) error {
	var info jobInfo
	var last mastery
	if err := errors.Join(json.Unmarshal([]byte(description), &info), json.Unmarshal([]byte(master), &last)); err != nil {
		return fmt.Errorf("sleigh: the description of a job is not readable: %w", err)
	}
	var job *FinishedJob
	if info.Keep > 0 && !last.Done {
		job = cancelled(info)
	}
	return endJob(ctx, own, info.ID, info.Name, job, last.Client)
}

// cancelled is what is to be known of a named job that somebody else than its master has ended; end.lua counts its elements.
func cancelled(info jobInfo) *FinishedJob {
	return &FinishedJob{
		ID: info.ID, Name: info.Name, Func: info.Func, Done: -1, Failed: -1, Outcome: Cancelled,
		Ended: time.Now(), Until: time.Now().Add(info.Keep),
	}
}

// keepLooking looks after the jobs of a team that lasts, until ctx ends.
func keepLooking(ctx context.Context, own *workspace.Workspace, every time.Duration, log *slog.Logger) {
	for {
		pause(ctx, every)
		if ctx.Err() != nil {
			return
		}
		if err := lookAfterJobs(ctx, own); err != nil && !isOver(err) && ctx.Err() == nil {
			log.Warn("jobs without a master were not looked after", "error", err)
		}
	}
}
