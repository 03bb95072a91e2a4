package workspacetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/netspaces/netspaces/workspace"
)

var scaleTests = []test{
	{"V4TenThousandWaiters", v4TenThousandWaiters},
	{"V4ManyFindersBeforeFetchers", func(s *site) { manyOfBoth(s, false) }},
	{"V4ManyFetchersBeforeFinders", func(s *site) { manyOfBoth(s, true) }},
}

// crowd is many callers that wait for one variable, on many clients.
type crowd struct {
	s       *site
	handles []*workspace.Workspace
	callers sync.WaitGroup
	ended   atomic.Int64
	failed  atomic.Int64 // that ended with ErrVarDeleted
	came    tally
}

func (s *site) crowd(clients int) *crowd {
	s.Helper()
	c := &crowd{s: s}
	for range clients {
		c.handles = append(c.handles, s.use(s.client()))
	}
	return c
}

// wait has so many callers wait for the variable "v" on each client.
func (c *crowd) wait(each int, call func(h *workspace.Workspace) func(context.Context, string, any) error) {
	for _, h := range c.handles {
		for range each {
			c.callers.Go(func() {
				var text []byte
				err := call(h)(c.s.ctx, "v", &text)
				switch {
				case err == nil:
					c.came.add(string(text))
				case errors.Is(err, workspace.ErrVarDeleted):
					c.failed.Add(1)
				default:
					c.s.Error(err)
				}
				c.ended.Add(1)
			})
		}
	}
}

func fetchOf(h *workspace.Workspace) func(context.Context, string, any) error { return h.Fetch }
func findOf(h *workspace.Workspace) func(context.Context, string, any) error  { return h.Find }

// ends waits until so many calls have ended.
func (c *crowd) ends(n int) {
	c.s.Helper()
	c.s.eventually(func() bool { return c.ended.Load() >= int64(n) || c.s.Failed() }, func() string {
		return fmt.Sprintf("%d of %d calls have ended", c.ended.Load(), n)
	})
	if ended := c.ended.Load(); ended != int64(n) {
		c.s.Errorf("%d calls have ended, want %d", ended, n)
	}
}

// v4TenThousandWaiters measures what they cost, and checks that they are served one by one in the order of their waiting.
func v4TenThousandWaiters(s *site) {
	const clients, each, values = 100, 100, 500
	const mostBytes, mostScripts, mostConnections = 250, 5, 2
	ws := s.open()
	before := s.connections()
	c := s.crowd(clients)
	c.wait(each, fetchOf)
	s.waiting(ws, "v", clients*each, 0)

	connections := 0.0
	s.eventually(func() bool { // a client that was busy has one more, for some seconds
		connections = float64(s.connections()-before) / clients
		return connections <= mostConnections
	}, func() string {
		return fmt.Sprintf("%.1f connections for a client, want at most %d", connections, mostConnections)
	})
	size := 0
	for _, key := range s.keys() {
		n, err := s.admin.MemoryUsage(s.ctx, key, 0).Result()
		s.must(err)
		size += int(n)
	}
	bytes := float64(size) / (clients * each)
	order := s.tickets("v")

	scripts := s.scripts()
	for i := range values {
		s.store(ws, "v", i)
	}
	c.ends(values)
	perValue := float64(s.scripts()-scripts) / values
	c.came.once(s, values)
	s.waiting(ws, "v", clients*each-values, 0)
	if left := s.tickets("v"); !slices.Equal(left, order[values:]) {
		s.Error("those who were served are not those who had waited the longest")
	}
	s.Logf("%.1f connections for a client, %.0f bytes for a waiter, %.1f scripts for a value", connections, bytes, perValue)
	if bytes > mostBytes || perValue > mostScripts {
		s.Errorf("at most %d bytes and %d scripts are allowed", mostBytes, mostScripts)
	}

	s.must(ws.DeleteVar(s.ctx, "v"))
	c.ends(clients * each)
	c.callers.Wait()
	if n := c.failed.Load(); n != clients*each-values {
		s.Errorf("%d waiters learnt that the variable was deleted, want %d", n, clients*each-values)
	}
}

// tickets are the waiters of a variable in the order in which they will be served.
func (s *site) tickets(variable string) []string {
	s.Helper()
	waiters, err := s.admin.ZRange(s.ctx, s.key("waiters", variable), 0, -1).Result()
	s.must(err)
	return waiters
}

// manyOfBoth has one value come to all finders and one fetcher.
func manyOfBoth(s *site, fetchersFirst bool) {
	const clients, each = 20, 20
	ws := s.open()
	c := s.crowd(clients)
	if fetchersFirst {
		c.wait(each, fetchOf)
		s.waiting(ws, "v", clients*each, 0)
	}
	c.wait(each, findOf)
	if !fetchersFirst {
		s.waiting(ws, "v", 0, clients*each)
		c.wait(each, fetchOf)
	}
	s.waiting(ws, "v", clients*each, clients*each)
	s.store(ws, "v", 0)
	c.ends(clients*each + 1)
	if n := c.came.times["0"]; n != clients*each+1 {
		s.Errorf("the value came %d times, want %d finders and one fetcher", n, clients*each)
	}
	s.waiting(ws, "v", clients*each-1, 0)
	s.must(ws.DeleteVar(s.ctx, "v"))
	c.callers.Wait()
}
