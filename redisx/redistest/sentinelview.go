package redistest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// running are the Sentinels that run and are not paused.
func (s *Sentinel) running() []watcher {
	var running []watcher
	for _, w := range s.watchers {
		if w.answers() {
			running = append(running, w)
		}
	}
	return running
}

// master is the one that all agree on, if they do and it is one.
func (s *Sentinel) master() (*Server, error) {
	var agreed *Server
	for _, w := range s.running() {
		master, err := s.masterBy(w)
		if err != nil {
			return nil, err
		}
		if agreed != nil && agreed != master {
			return nil, fmt.Errorf("one Sentinel holds %s for the master, another %s", agreed.Addr(), master.Addr())
		}
		agreed = master
	}
	if agreed == nil {
		return nil, errors.New("no Sentinel runs")
	}
	if !agreed.answers() {
		return nil, fmt.Errorf("the master is %s, which is down", agreed.Addr())
	}
	info, err := replication(agreed)
	if err != nil {
		return nil, err
	}
	if info["role"] != "master" {
		return nil, fmt.Errorf("%s is a %s", agreed.Addr(), info["role"])
	}
	return agreed, nil
}

// masterBy is the master in the view of one Sentinel.
func (s *Sentinel) masterBy(w watcher) (*Server, error) {
	words, err := w.ask.GetMasterAddrByName(context.Background(), masterName).Result()
	if err != nil {
		return nil, err
	}
	for _, server := range s.servers {
		if len(words) == 2 && net.JoinHostPort(words[0], words[1]) == server.Addr() {
			return server, nil
		}
	}
	return nil, fmt.Errorf("%s holds %q for the master", w.Addr(), words)
}

func (s *Sentinel) well() error {
	master, err := s.master()
	if err != nil {
		return err
	}
	for _, w := range s.running() {
		if err := s.canReplace(w); err != nil {
			return fmt.Errorf("the Sentinel %s: %w", w.Addr(), err)
		}
	}
	return s.followed(master)
}

// canReplace asks a Sentinel whether it knows enough others that answer, and all replicas that run.
func (s *Sentinel) canReplace(w watcher) error {
	ctx := context.Background()
	if err := w.ask.CkQuorum(ctx, masterName).Err(); err != nil {
		return err
	}
	master, err := w.ask.Master(ctx, masterName).Result()
	if err != nil {
		return err
	}
	if master["flags"] != "master" {
		return fmt.Errorf("it holds the master for %s", master["flags"])
	}
	if n := master["num-other-sentinels"]; n != strconv.Itoa(sentinelCount-1) {
		return fmt.Errorf("it knows %s others", n)
	}
	replicas, err := w.ask.Replicas(ctx, masterName).Result()
	if err != nil {
		return err
	}
	good, all := 0, -1 // the master is none
	for _, replica := range replicas {
		if replica["flags"] == "slave" && replica["master-link-status"] == "ok" {
			good++
		}
	}
	for _, server := range s.servers {
		if server.answers() {
			all++
		}
	}
	return want("replicas that it could take", good, all)
}

// followed says which server that runs is no replica that receives what master gets.
func (s *Sentinel) followed(master *Server) error {
	info, err := replication(master)
	if err != nil {
		return err
	}
	if err := streams(info); err != nil {
		return err
	}
	for _, server := range s.servers {
		if server == master || !server.answers() {
			continue
		}
		info, err := replication(server)
		if err != nil {
			return err
		}
		if info["role"] != "slave" || info["master_port"] != strconv.Itoa(master.port) || info["master_link_status"] != "up" {
			return fmt.Errorf("%s does not follow %s", server.Addr(), master.Addr())
		}
	}
	return nil
}

// caughtUp says which replica that runs has not received all that master has.
func (s *Sentinel) caughtUp(master *Server) error {
	sent, err := replication(master)
	if err != nil {
		return err
	}
	for _, server := range s.servers {
		if server == master || !server.answers() {
			continue
		}
		info, err := replication(server)
		if err != nil {
			return err
		}
		if info["slave_repl_offset"] != sent["master_repl_offset"] {
			return fmt.Errorf("%s is at %s, its master at %s",
				server.Addr(), info["slave_repl_offset"], sent["master_repl_offset"])
		}
	}
	return nil
}
