package workspacetest

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

var herdTests = []test{
	{"V4ThousandWaiters", v4ThousandWaiters},
	{"V4ThousandServedAtOnce", v4ThousandServedAtOnce},
}

// v4ThousandWaiters has 1,000 goroutines of one client wait: few connections, no polling, and each value wakes one.
func v4ThousandWaiters(s *site) {
	const waiters, extra, values = 1000, 2, 50
	ws := s.open()
	rdb := s.client()
	h := s.use(rdb)
	s.info(ws, "v")
	before := s.connections()

	var ended atomic.Int64
	for range waiters {
		p := s.fetch(h, "v")
		go func() {
			<-p.done
			ended.Add(1)
		}()
	}
	s.waiting(ws, "v", waiters, 0)
	if after := s.connections(); after > before+extra {
		s.Errorf("%d connections before, %d with %d waiters: more than %d extra", before, after, waiters, extra)
	}

	scripts, calm := 0, 0
	s.eventually(func() bool { // all have asked, and asked again once they could be told
		last := scripts
		scripts = s.scripts()
		if calm++; scripts != last {
			calm = 0
		}
		return calm > 10
	}, func() string { return "scripts run although nothing happens" })

	// Beats and the renewal of one lease are all that may happen.
	const measured, most = 5 * time.Second, 9
	commands, began := s.commands(), time.Now()
	<-time.After(measured)
	scripts, commands = s.scripts()-scripts, s.commands()-commands-2 // the two INFO of this measurement
	seconds := time.Since(began).Seconds()
	s.Logf("idle with %d waiters: %.1f scripts/s, %.1f commands/s with those within scripts",
		waiters, float64(scripts)/seconds, float64(commands)/seconds)
	if scripts > most {
		s.Errorf("%d scripts ran in %.1f s although nothing happened", scripts, seconds)
	}

	scripts = s.scripts()
	for i := range values {
		s.store(ws, "v", i)
	}
	s.eventually(func() bool { return ended.Load() == values }, func() string {
		return fmt.Sprintf("%d values woke %d waiters", values, ended.Load())
	})
	scripts = s.scripts() - scripts
	s.Logf("%.1f scripts for a value", float64(scripts)/values)
	if scripts > values*5/2+10 {
		s.Errorf("%d scripts ran for %d values, want about two each", scripts, values)
	}
	s.waiting(ws, "v", waiters-values, 0)
}

// v4ThousandServedAtOnce stores for more waiters than are served in one go.
func v4ThousandServedAtOnce(s *site) {
	const waiters = 1200
	ws := s.open()
	handles := []*workspace.Workspace{ws, s.use(s.client())}
	var all []*pending
	for i := range waiters {
		all = append(all, s.fetch(handles[i%2], "v"))
	}
	s.waiting(ws, "v", waiters, 0)
	s.store(ws, "v", numbers(waiters)...)
	var came tally
	for _, p := range all {
		p.end()
		s.must(p.err)
		came.add(p.value)
	}
	came.once(s, waiters)
}

// connections counts those of all clients.
func (s *site) connections() int {
	s.Helper()
	list, err := s.admin.ClientList(s.ctx).Result()
	s.must(err)
	return strings.Count(list, "\n")
}

// scripts counts those that ran.
func (s *site) scripts() int {
	s.Helper()
	return s.stat("commandstats", "cmdstat_evalsha:calls=") + s.stat("commandstats", "cmdstat_eval:calls=")
}

// commands counts all, also those within scripts.
func (s *site) commands() int {
	s.Helper()
	return s.stat("stats", "total_commands_processed:")
}

func (s *site) stat(section, field string) int {
	s.Helper()
	text, err := s.admin.Info(s.ctx, section).Result()
	s.must(err)
	_, rest, found := strings.Cut(text, field)
	if !found {
		return 0
	}
	n, err := strconv.Atoi(rest[:strings.IndexAny(rest, ",\r")])
	s.must(err)
	return n
}
