package sleigh

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// workerEnv tells a process that it is a worker. All else it reads from its standard input, where no list of processes
// shows it; the end of that input is the end of its keeper.
const workerEnv = "NETSPACES_WORKER"

// Main turns a process that Local or SSH launched, or that Command or somebody by hand started for a team, into a worker: it
// runs tasks until the sleigh stops, and then exits. In any other process it does nothing. Call it first thing in main,
// after all calls of Register.
//
// At SIGTERM a worker claims no more tasks; what runs may end within the drain time (Options), the rest is given back, and it
// exits with 0. At a second signal it does so at once. For one that was started by hand, SIGINT is the same.
func Main() {
	name := os.Getenv(teamEnv)
	launched := os.Getenv(workerEnv) != ""
	if !launched && name == "" {
		registered := functions()
		registry.Lock()
		defer registry.Unlock()
		known = registered
		return
	}
	slots, origin := os.Getenv(slotsEnv), os.Getenv(launchEnv)
	for _, name := range []string{workerEnv, teamEnv, slotsEnv, launchEnv} {
		_ = os.Unsetenv(name) // what a function runs is no worker
	}
	if launched {
		ending, err := workFor(os.Stdin)
		if err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			if ending == died {
				os.Exit(1)
			}
		}
		os.Exit(exitCodes[ending])
	}
	if err := joinTeam(name, slots, origin); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// workFor is the worker process that a keeper launched.
func workFor(stdin io.Reader) (ending, error) {
	in := bufio.NewReader(stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return died, fmt.Errorf("%s is set, but nothing came from a master: %w", workerEnv, err)
	}
	var inv invitation
	if err := inv.read(line); err != nil {
		return died, err
	}
	orders := make(chan order)
	go hear(in, &inv, orders)
	go hearSignals(orders)
	if null, err := os.Open(os.DevNull); err == nil {
		os.Stdin = null // for functions that read it
	}

	ctx := context.Background()
	w, err := joinAs(ctx, inv, newLog(slog.LevelWarn), orders)
	if err != nil || w == nil {
		return endingOf(err), err
	}
	finish := captureOutput(w)
	how := w.serveUntil(ctx, orders)
	finish()
	_ = w.close()
	return how, nil
}

// joinAs joins, unless an order comes before; then there is no worker.
func joinAs(ctx context.Context, inv invitation, log *slog.Logger, orders <-chan order) (*Worker, error) {
	type joined struct {
		w   *Worker
		err error
	}
	done := make(chan joined, 1)
	go func() {
		rdb, err := redisx.Open(ctx, inv.Redis, nil)
		if err != nil {
			done <- joined{nil, err}
			return
		}
		w, err := join(ctx, rdb, inv.Member, log)
		done <- joined{w, err}
	}()
	select {
	case j := <-done:
		return j.w, j.err
	case <-orders:
		return nil, nil
	}
}

// endingOf says what a worker that could not join tells its keeper: without a Redis, another one should try.
func endingOf(err error) ending {
	switch {
	case err == nil:
		return left
	case errors.Is(err, errRefused):
		return refused
	case errors.Is(err, workspace.ErrNoWorkspace):
		return died
	}
	return replaced
}

// hear hears the orders of a keeper. When it dies, so does the worker: at once if the sleigh dies with it, else it gives back
// what it runs.
func hear(in *bufio.Reader, inv *invitation, orders chan<- order) {
	heard := func() {}
	if inv.Silence > 0 {
		// It is on another host, and a connection that breaks need not tell. The keeper notices too, and launches another one.
		silent := time.AfterFunc(inv.Silence, func() {
			fmt.Fprintf(os.Stderr, "worker: nothing was heard of the master for %v\n", inv.Silence)
			os.Exit(1)
		})
		defer silent.Stop()
		heard = func() { silent.Reset(inv.Silence) }
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			break
		}
		heard()
		if o := order(strings.TrimSpace(line)); o != beatOrder {
			orders <- o
		}
	}
	if !inv.Stays {
		os.Exit(1)
	}
	time.AfterFunc(killAfter, func() { os.Exit(1) })
	orders <- nowOrder
}

// hearSignals takes the signals to this process for orders.
func hearSignals(orders chan<- order) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	<-signals
	orders <- leaveOrder
	for range signals {
		orders <- nowOrder
	}
}
