package sleigh

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// Worker is one member of the team. A function gets it by WorkerFrom.
type Worker struct {
	rank  int
	count int
	host  string
	own   *workspace.Workspace
	user  *workspace.Workspace
	lease time.Duration
	slots int
	log   *slog.Logger
	level slog.Level // of records that go to the master

	out      *outbox
	capture  *capture // nil if others share what this process prints to
	progress progress

	leaving context.Context // ends when it is to claim no more
	leave   context.CancelFunc
	dropped recent // jobs that have ended
	imports imports
	inits   initialised
}

// Rank is the worker's number, from 0.
func (w *Worker) Rank() int { return w.rank }

// Count is the number of workers of the team.
func (w *Worker) Count() int { return w.count }

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

// WorkerInfo is what a worker tells of itself when it joins.
type WorkerInfo struct {
	Rank   int       `json:"rank"`
	Host   string    `json:"host"`
	OS     string    `json:"os"`
	Arch   string    `json:"arch"`
	PID    int       `json:"pid"`
	Since  time.Time `json:"since"`
	Client string    `json:"client"` // its name in Redis, which its claims carry
}

// member is what a worker needs to know to join.
type member struct {
	Sleigh string        `json:"sleigh"`
	Rank   int           `json:"rank"`
	Count  int           `json:"count"`
	Lease  time.Duration `json:"lease"`
	Slots  int           `json:"slots"`
	Level  slog.Level    `json:"level"` // Options.LogLevel
}

// join makes a worker of this process, or of a goroutine of it.
func join(ctx context.Context, rdb *redisx.Client, m member, log *slog.Logger) (*Worker, error) {
	w := &Worker{rank: m.Rank, count: m.Count, lease: m.Lease, slots: max(m.Slots, 1), level: m.Level, log: log.With("rank", m.Rank)}
	w.leaving, w.leave = context.WithCancel(context.Background())
	w.host = hostname()
	var err error
	if w.own, err = workspace.Use(ctx, rdb, m.Sleigh, false); err != nil {
		return nil, err
	}
	if w.user, err = workspace.Use(ctx, rdb, m.Sleigh+"/user", false); err != nil {
		return nil, errors.Join(err, w.own.Close())
	}
	w.out = newOutbox(w)
	info := WorkerInfo{
		Rank: m.Rank, Host: w.host, OS: runtime.GOOS, Arch: runtime.GOARCH, PID: os.Getpid(), Since: time.Now(),
		Client: w.own.Client(),
	}
	if err = w.own.Declare(ctx, workerVarOf(m.Rank), workspace.Single); err == nil {
		err = w.own.Store(ctx, workerVarOf(m.Rank), info)
	}
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}

func (w *Worker) close() error {
	w.out.close()
	w.progress.close()
	return errors.Join(w.user.Close(), w.own.Close())
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
