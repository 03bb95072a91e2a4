package sleigh

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// Worker is one member of the team. A function gets it by WorkerFrom.
type Worker struct {
	rank  int
	count atomic.Int64 // ranks
	host  string
	own   *workspace.Workspace
	user  *workspace.Workspace
	lease time.Duration
	slots int
	drain time.Duration
	log   *slog.Logger
	level slog.Level // of records that go to the master
	lasts bool       // the team has many masters, and may have tasks of functions that this program does not know

	out      *outbox
	capture  *capture // nil if others share what this process prints to
	progress progress

	forAny  *exchange // of tasks for any worker
	forRank *exchange // of those for this one

	keeper    string          // client of its keeper
	dismissed context.Context // ends when it is to leave, and its keeper to have no other
	dismiss   context.CancelFunc

	leaving  context.Context // ends when it is to claim no more
	leave    context.CancelFunc
	activity activity
	company  company
	replace  atomic.Bool // another one is to take its rank
	dropped  recent      // jobs that have ended
	imports  imports
	inits    initialised
}

// Rank is the worker's number, from 0.
func (w *Worker) Rank() int { return w.rank }

// Count is one more than the highest rank of the team: the number of its workers, unless one that came late has left. It
// is up to date when the team is launched; of workers that come and go later it is told within some seconds of work.
func (w *Worker) Count() int { return int(w.count.Load()) }

// Host is the name of the machine that the worker runs on.
func (w *Worker) Host() string { return w.host }

// Name tells the worker from all others: the sleigh's name and the rank.
func (w *Worker) Name() string { return fmt.Sprintf("%s@%d", w.own.Name(), w.rank) }

// User is the workspace that master and workers share.
func (w *Worker) User() *workspace.Workspace { return w.user }

type workerKey struct{}

// WorkerFrom returns the worker that runs the function which was given ctx; nil outside of one.
func WorkerFrom(ctx context.Context) *Worker {
	w, _ := ctx.Value(workerKey{}).(*Worker)
	return w
}

// begun and ended are for whatever looks after what an element prints and tells.
func (w *Worker) begun(el *element) {
	if w.capture != nil {
		w.capture.begun(el)
	}
}

func (w *Worker) ended(el *element) {
	if w.capture != nil {
		w.capture.ended(el)
	}
	w.progress.ended(w, el)
}
