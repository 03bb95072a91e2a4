package sleigh

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"

	"github.com/netspaces/netspaces/redisx"
)

// Manual has n workers that are started by hand, on any machine that reaches the Redis: copies of this program, with its
// address in REDIS_URL and the name of the sleigh in NETSPACES_TEAM, and if they are to run several tasks at a time, how many
// in NETSPACES_SLOTS. It says on stderr how. Tasks run as soon as there is a worker. More than n may come, also to a team of
// another launcher; all may leave at any time, by SIGTERM. Each has the lowest rank that is free. A program that was started
// so launches the worker as a process of its own, and replaces it if it dies. Await waits for them.
func Manual(n int) Launcher { return manual(n) }

type manual int

const (
	teamEnv  = "NETSPACES_TEAM"  // names the sleigh that a process is to join as a worker
	slotsEnv = "NETSPACES_SLOTS" // tasks that it is to run at a time
	// launchEnv is how the ids of its launches are to begin, if Command has started it. Then the master reads what it prints.
	launchEnv = "NETSPACES_LAUNCH"
)

func (n manual) size() int { return int(n) }

func (n manual) launch(s *Sleigh) (team, error) {
	if err := s.needSharedRedis("Manual"); err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "netspaces: waiting for %d workers; on any machine, start each with\n"+
		"    REDIS_URL=%s %s=%s %s\n(with the password in the URL, where Redis has one)\n", n, s.rdb, teamEnv, s.Name(), filepath.Base(os.Args[0]))
	return volunteers{}, nil
}

// needSharedRedis returns an error where no other program can reach the Redis.
func (s *Sleigh) needSharedRedis(launcher string) error {
	if server := s.rdb.String(); server == "embedded" || server == "local" {
		return fmt.Errorf("sleigh: %s needs a Redis that other machines reach, not the %s one: set REDIS_URL", launcher, server)
	}
	return nil
}

// volunteers is the team of Manual: workers that end by themselves when the sleigh stops.
type volunteers struct{}

func (volunteers) end(context.Context) {}

// joinTeam makes this process the keeper of a worker of the named sleigh, as its environment says.
func joinTeam(name, slots, origin string) error {
	n := 1
	if slots != "" {
		var err error
		if n, err = strconv.Atoi(slots); err != nil || n < 1 {
			return fmt.Errorf("%s is %q: it must be a number of at least 1", slotsEnv, slots)
		}
	}
	url := os.Getenv("REDIS_URL")
	if url == "" {
		return fmt.Errorf("%s is set, but REDIS_URL is not: it says where the team's Redis is", teamEnv)
	}
	leave, soon := context.WithCancel(context.Background())
	now, atOnce := context.WithCancel(context.Background())
	defer soon()
	defer atOnce()
	orders := make(chan order)
	go hearSignals(orders)
	go func() {
		for o := range orders {
			soon()
			if o == nowOrder {
				atOnce()
			}
		}
	}()
	rdb, err := redisx.Open(leave, url, nil)
	if err != nil {
		if isDone(leave) {
			return nil
		}
		return err
	}
	defer func() { _ = rdb.Close() }()
	return Serve(leave, rdb, name, &ServeOptions{Slots: n, Now: now, Logger: newLog(slog.LevelInfo), origin: origin})
}
