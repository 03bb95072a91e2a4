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
	{"V4FinderWhoseReplyIsLost", v4FinderWhoseReplyIsLost},
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
	proxy.quiet()
	proxy.cut()
	s.store(ws, "v", 1)
	s.holds(ws, "v", "1")
	finder.gets("1")
}

// A finder is told to come, and the connection breaks over the reply with the value. It asks again and gets it, although
// a fetch was quicker.
func v4FinderWhoseReplyIsLost(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	finder := s.find(s.use(rdb), "lossy")
	s.waiting(ws, "lossy", 0, 1)
	proxy.quiet()
	lost := proxy.loseReply()
	s.store(ws, "lossy", 1)
	<-lost
	s.drain(ws, "lossy")
	finder.gets("1")
}

// One who is woken for a claim that ended, and finds that somebody was quicker, has still waited the longest.
func v4WokenInVainKeepsItsPlace(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	s.store(ws, "v", "claimed")
	claim, err := ws.Claim(s.ctx, "v", &workspace.ClaimOptions{Lease: time.Hour})
	s.must(err)
	first := s.fetch(s.use(rdb), "v")
	s.waiting(ws, "v", 1, 0)
	second := s.fetch(ws, "v")
	s.waiting(ws, "v", 2, 0)
	proxy.quiet()
	proxy.deafen() // so that it is slow to come
	s.must(claim.Renew(s.ctx, time.Millisecond))
	s.eventually(func() bool {
		select {
		case <-first.done:
			return true
		default:
			return len(s.drain(ws, "v")) > 0
		}
	}, func() string { return "what was claimed does not come back" })
	proxy.hear()
	select {
	case <-first.done:
		s.Log("it was the quickest after all")
		first.gets(`"claimed"`)
	default:
		s.waiting(ws, "v", 2, 0)
		s.store(ws, "v", 1)
		first.gets("1")
	}
	s.store(ws, "v", 2)
	second.gets("2")
}
