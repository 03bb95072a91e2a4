package sleigh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// Manual waits for n workers that are started by hand, on any machine that reaches the Redis: copies of this program, with
// its address in REDIS_URL and the name of the sleigh in NETSPACES_TEAM. It says on stderr how. The first n that come work;
// further ones wait, and take the place of any that dies.
func Manual(n int) Launcher { return manual(n) }

type manual int

// teamEnv names the sleigh that a process is to join as a worker.
const teamEnv = "NETSPACES_TEAM"

func (n manual) size() int { return int(n) }

func (n manual) launch(s *Sleigh) (team, error) {
	if server := s.rdb.String(); server == "embedded" || server == "local" {
		return nil, fmt.Errorf("sleigh: Manual needs a Redis that other machines reach, not the %s one: set REDIS_URL", server)
	}
	free := make([]any, n)
	for rank := range free {
		free[rank] = s.member(rank)
	}
	if err := s.own.StoreAll(s.ctx, rankVar, free...); err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "netspaces: waiting for %d workers; on any machine, start each with\n"+
		"    REDIS_URL=%s %s=%s %s\n(with the password in the URL, where Redis has one)\n", n, s.rdb, teamEnv, s.Name(), filepath.Base(os.Args[0]))
	return volunteers{own: s.own, n: int(n)}, nil
}

// volunteers is the team of Manual: workers that end by themselves when the sleigh stops.
type volunteers struct {
	own *workspace.Workspace
	n   int
}

// end waits until all ranks have been given back.
func (v volunteers) end(ctx context.Context) {
	for range v.n {
		if err := v.own.Fetch(ctx, rankVar, new(member)); err != nil {
			return
		}
	}
}

// joinTeam makes this process a worker of the named sleigh, once there is one and it has a rank free.
func joinTeam(name string) error {
	ctx := context.Background()
	url := os.Getenv("REDIS_URL")
	if url == "" {
		return fmt.Errorf("%s is set, but REDIS_URL is not: it says where the team's Redis is", teamEnv)
	}
	rdb, err := redisx.Open(ctx, url, nil)
	if err != nil {
		return err
	}
	defer func() { _ = rdb.Close() }()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))

	var own *workspace.Workspace
	for waiting := false; ; waiting = true {
		if own, err = workspace.Use(ctx, rdb, name, false); err == nil {
			break
		}
		if !errors.Is(err, workspace.ErrNoWorkspace) {
			return err
		}
		if !waiting {
			log.Info("waiting for the team to start", "team", name)
		}
		time.Sleep(retryPause) // nothing in Redis tells of a workspace that is to come
	}
	// The rank is held under a lease, so that another worker gets it should this one die.
	rank, err := own.Claim(ctx, rankVar, &workspace.ClaimOptions{Lease: 10 * time.Second})
	if errors.Is(err, workspace.ErrNoWorkspace) {
		return nil // the team has ended without needing this worker
	}
	if err != nil {
		return err
	}
	var m member
	if err := json.Unmarshal(rank.Values[0].Text, &m); err != nil {
		return fmt.Errorf("what the master says of the rank is not readable: %w", err)
	}
	w, err := join(ctx, rdb, m, log)
	if err != nil {
		return err
	}
	log.Info("joined", "team", name, "rank", strconv.Itoa(w.rank))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := w.hold(rank, cancel)
	finish := captureOutput(w)
	w.serve(ctx)
	finish()
	stop()
	leave, cancelLeave := context.WithTimeout(context.Background(), retryPause)
	defer cancelLeave()
	_ = rank.Release(leave, rank.Values[0].Index) // where this fails, its lease ends by itself
	return errors.Join(w.close(), own.Close())
}

// hold renews the lease of the worker's rank until the returned function is called. A worker that was silent for so long
// that another one has taken its rank, ends.
func (w *Worker) hold(rank *workspace.Claim, end func()) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var holding sync.WaitGroup
	holding.Go(func() {
		tick := time.NewTicker(w.lease / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				err := rank.Renew(ctx, w.lease)
				if err != nil && ctx.Err() == nil {
					w.log.Warn("lease of the rank not renewed", "error", err)
				}
				if errors.Is(err, workspace.ErrClaimLost) {
					end()
					return
				}
			}
		}
	})
	return func() {
		cancel()
		holding.Wait()
	}
}
