package sleigh

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/netspaces/netspaces/redisx"
)

// workerEnv tells a process that it is a worker. All else it reads from its standard input, where no list of processes
// shows it; the end of that input is the end of its master.
const workerEnv = "NETSPACES_WORKER"

// invitation is the line that a worker process reads.
type invitation struct {
	Redis  string `json:"redis"` // URL, with password
	Member member `json:"member"`
}

// Main turns a process that Local launched, or that was started for a Manual team, into a worker: it runs tasks until the
// sleigh stops, and then exits. In any other process it does nothing. Call it first thing in main, after all calls of
// Register.
func Main() {
	name := os.Getenv(teamEnv)
	launched := os.Getenv(workerEnv) != ""
	if !launched && name == "" {
		return
	}
	_, _ = os.Unsetenv(workerEnv), os.Unsetenv(teamEnv) // what a function runs is no worker
	var err error
	if launched {
		err = workFor(os.Stdin)
	} else {
		err = joinTeam(name)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func workFor(stdin io.Reader) error {
	in := bufio.NewReader(stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("%s is set, but nothing came from a master: %w", workerEnv, err)
	}
	var inv invitation
	if err := json.Unmarshal(line, &inv); err != nil {
		return fmt.Errorf("what came from the master is not readable: %w", err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		os.Exit(1) // the master is dead
	}()
	if null, err := os.Open(os.DevNull); err == nil {
		os.Stdin = null // for functions that read it
	}

	ctx := context.Background()
	rdb, err := redisx.Open(ctx, inv.Redis, nil)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	w, err := join(ctx, rdb, inv.Member, log)
	if err != nil {
		return err
	}
	finish := captureOutput(w)
	w.serve(ctx)
	finish()
	_ = w.close()
	return rdb.Close()
}
