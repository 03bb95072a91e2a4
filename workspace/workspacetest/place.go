package workspacetest

import (
	"strconv"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

var placeTests = []test{
	{"V4OrderAcrossClients", v4OrderAcrossClients},
	{"V4FreshHandleKeepsItsPlace", v4FreshHandleKeepsItsPlace},
	{"V4FreshFinderGetsTheValue", v4FreshFinderGetsTheValue},
	{"V4ReconnectedFinderGetsTheValue", v4ReconnectedFinderGetsTheValue},
	{"V4WokenInVainKeepsItsPlace", v4WokenInVainKeepsItsPlace},
}

func v4OrderAcrossClients(s *site) {
	ws := s.open()
	handles := []*workspace.Workspace{ws, s.use(s.client()), s.use(s.client())}
	// Each handle has waited before, so that nothing is new to it.
	for _, h := range handles {
		waiter := s.fetch(h, "warm")
		s.waiting(ws, "warm", 1, 0)
		s.store(ws, "warm", 0)
		waiter.gets("0")
	}
	for _, mode := range allModes {
		name := string(mode)
		s.declare(ws, name, mode)
		var waiters []*pending
		for i := range 9 {
			waiters = append(waiters, s.fetch(handles[i*i%3], name))
			s.waiting(ws, name, i+1, 0)
		}
		for i, w := range waiters {
			s.store(ws, name, i)
			w.gets(strconv.Itoa(i))
		}
	}
}

// The first waiter of a handle may be registered before the handle can be told anything. It waits all the same.
func v4FreshHandleKeepsItsPlace(s *site) {
	ws := s.open()
	for i := range 20 {
		first := s.fetch(s.use(s.client()), "v")
		s.waiting(ws, "v", 1, 0)
		second := s.fetch(ws, "v")
		s.waiting(ws, "v", 2, 0)
		s.store(ws, "v", 2*i)
		first.gets(strconv.Itoa(2 * i))
		s.store(ws, "v", 2*i+1)
		second.gets(strconv.Itoa(2*i + 1))
	}
}

func v4FreshFinderGetsTheValue(s *site) {
	ws := s.open()
	for i := range 20 {
		finder := s.find(s.use(s.client()), "v")
		s.waiting(ws, "v", 0, 1)
		s.store(ws, "v", i)
		s.holds(ws, "v", strconv.Itoa(i))
		finder.gets(strconv.Itoa(i))
	}
}

// A finder that waits gets the value also if its connection was broken when the value was stored, and a fetch was quicker.
func v4ReconnectedFinderGetsTheValue(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	finder := s.find(s.use(rdb), "v")
	s.waiting(ws, "v", 0, 1)
	for range 5 { // it must not matter how far the subscription has come
		proxy.cut()
	}
	s.store(ws, "v", 1)
	s.holds(ws, "v", "1")
	finder.gets("1")
}

// One who is woken for a claim that ended, and finds that somebody was quicker, has still waited the longest.
func v4WokenInVainKeepsItsPlace(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	deaf := s.use(rdb)
	s.store(ws, "v", "claimed")
	claim, err := ws.Claim(s.ctx, "v", &workspace.ClaimOptions{Lease: time.Hour})
	s.must(err)
	first := s.fetch(deaf, "v")
	s.waiting(ws, "v", 1, 0)
	second := s.fetch(ws, "v")
	s.waiting(ws, "v", 2, 0)
	third := s.fetch(ws, "v")
	s.waiting(ws, "v", 3, 0)
	// The first is told that there is something, but cannot hear it, so that the second gets it.
	proxy.deafen()
	s.must(claim.Renew(s.ctx, time.Millisecond))
	second.end()
	s.must(second.err)
	proxy.hear()
	s.waiting(ws, "v", 2, 0)
	s.store(ws, "v", 1)
	first.gets("1")
	s.store(ws, "v", 2)
	third.gets("2")
}
