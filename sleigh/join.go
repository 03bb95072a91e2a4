package sleigh

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// WorkerInfo is what a worker tells of itself when it joins.
type WorkerInfo struct {
	Rank    int       `json:"rank"`
	Host    string    `json:"host"`
	OS      string    `json:"os"`
	Arch    string    `json:"arch"`
	PID     int       `json:"pid"`
	Slots   int       `json:"slots"` // tasks that it runs at a time
	Program string    `json:"program"`
	Version string    `json:"version,omitempty"` // of the program's main module, as Go has noted it
	Build   string    `json:"build"`             // the beginning of the SHA-256 of the program's file
	Since   time.Time `json:"since"`
	Client  string    `json:"client"` // its name in Redis, which its claims carry
	User    string    `json:"user"`   // its name in the workspace User, where its functions wait
	Launch  string    `json:"launch"` // tells its keeper that it is the one it has launched

	Functions []string `json:"functions"` // that its program had registered when it joined
}

// member is what a worker needs to know to join.
type member struct {
	Sleigh string        `json:"sleigh"`
	Rank   int           `json:"rank"`
	Count  int           `json:"count"`
	Lease  time.Duration `json:"lease"`
	Drain  time.Duration `json:"drain"`
	Slots  int           `json:"slots"`
	Level  slog.Level    `json:"level"` // Options.LogLevel
	Lasts  bool          `json:"lasts"` // the team does not end with its master
	Launch string        `json:"launch"`
	Keeper string        `json:"keeper"` // the client that has the rank
}

// join makes a worker of this process, or of a goroutine of it.
func join(ctx context.Context, rdb *redisx.Client, m member, log *slog.Logger) (*Worker, error) {
	w := &Worker{
		rank: m.Rank, host: hostname(), lease: m.Lease, drain: m.Drain, slots: max(m.Slots, 1), level: m.Level, lasts: m.Lasts,
		log: log.With("rank", m.Rank), keeper: m.Keeper,
	}
	w.count.Store(int64(m.Count))
	w.activity.init()
	w.leaving, w.leave = context.WithCancel(context.Background())
	w.dismissed, w.dismiss = context.WithCancel(context.Background())
	var err error
	if w.own, err = workspace.Use(ctx, rdb, m.Sleigh, false); err != nil {
		return nil, err
	}
	if w.user, err = workspace.Use(ctx, rdb, m.Sleigh+"/user", false); err != nil {
		return nil, errors.Join(err, w.own.Close())
	}
	w.out = newOutbox(w)
	w.forAny, w.forRank = w.newExchange(taskVar), w.newExchange(taskVarOf(m.Rank))
	w.forAny.start()
	w.forRank.start()
	p := thisProgram()
	if _, err = admit(ctx, w.own, p); err == nil {
		err = w.own.Declare(ctx, workerVarOf(m.Rank), workspace.Single)
	}
	if err == nil {
		err = w.own.Store(ctx, workerVarOf(m.Rank), WorkerInfo{
			Rank: m.Rank, Host: w.host, OS: runtime.GOOS, Arch: runtime.GOARCH, PID: os.Getpid(), Slots: w.slots, Program: p.Name,
			Version: p.Version, Build: p.Build, Since: time.Now(), Client: w.own.Client(), User: w.user.Client(), Launch: m.Launch,
			Functions: p.Functions,
		})
	}
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.activity.nudge() // its first report replaces that of the last worker of the rank
	return w, nil
}

func (w *Worker) close() error {
	w.out.close()
	w.progress.close()
	w.forAny.close()
	w.forRank.close()
	return errors.Join(w.user.Close(), w.own.Close())
}
