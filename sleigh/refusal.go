package sleigh

import (
	"context"
	"os"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

const refusalsKept = 20

// Refusal is a worker that wanted to join and may not.
type Refusal struct {
	Host   string    `json:"host"`
	PID    int       `json:"pid"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// refuse has masters, and whoever looks in, know that this process was refused.
func refuse(ctx context.Context, own *workspace.Workspace, reason string) error {
	r := Refusal{Host: hostname(), PID: os.Getpid(), Reason: reason, At: time.Now()}
	_, _, err := own.Do(ctx, refuseScript, []string{refusedVar}, asJSON(r), refusalsKept)
	return err
}

// noteRefusals notes workers that are refused, until ctx ends, and logs those of this master's time.
func (s *Sleigh) noteRefusals(ctx context.Context) {
	all := workspace.NewVar[Refusal](s.own, refusedVar).IFind()
	if s.lasts { // they may have been for another master
		for r, err := range all.Try(ctx) {
			if err != nil {
				break
			}
			s.noteRefusal(r)
		}
	}
	for ctx.Err() == nil {
		for r, err := range all.All(ctx) {
			if isOver(err) {
				return
			}
			if err != nil {
				pause(ctx, retryPause)
				break
			}
			s.log.Warn("a worker was refused", "host", r.Host, "pid", r.PID, "reason", r.Reason)
			s.noteRefusal(r)
		}
	}
}

func (s *Sleigh) noteRefusal(r Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals = append(s.refusals, r)
	s.refusals = s.refusals[max(0, len(s.refusals)-refusalsKept):]
}

// readRefusals reads them for a visitor.
func readRefusals(ctx context.Context, own *workspace.Workspace) (all []Refusal, err error) {
	known, err := own.Known(ctx, refusedVar) // asking for it would make it known
	if err != nil || !known {
		return nil, err
	}
	for r, err := range workspace.NewVar[Refusal](own, refusedVar).IFind().Try(ctx) {
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}
