package workspacetest

import (
	"fmt"
	"strconv"
)

var vanishedTests = []test{
	{"V10BrokenConnectionIsPassedOver", v10BrokenConnectionIsPassedOver},
	{"V10ManyDeadWaitersArePassedOver", v10ManyDeadWaitersArePassedOver},
	{"V10FrozenClientIsPassedOver", v10FrozenClientIsPassedOver},
	{"V10ValueOfADeadWaiterComesBack", v10ValueOfADeadWaiterComesBack},
	{"V10ReconnectedClientGoesOn", v10ReconnectedClientGoesOn},
	{"V10DeafClientIsServedByTheBeat", v10DeafClientIsServedByTheBeat},
}

func v10BrokenConnectionIsPassedOver(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	away := s.use(rdb)
	s.fetch(away, "v")
	s.find(away, "v")
	s.waiting(ws, "v", 1, 1)
	live := s.fetch(ws, "v")
	s.waiting(ws, "v", 2, 1)
	proxy.quiet()
	proxy.refuse()
	s.store(ws, "v", 1)
	live.gets("1")
	s.store(ws, "v", 2)
	s.holds(ws, "v", "2")
}

// However many dead waiters come first, the value goes to the first that lives, at once and not by and by.
func v10ManyDeadWaitersArePassedOver(s *site) {
	const dead = 120
	ws := s.open()
	rdb, proxy := s.proxied()
	away := s.use(rdb)
	for range dead {
		s.fetch(away, "v")
	}
	s.waiting(ws, "v", dead, 0)
	live := s.fetch(ws, "v")
	s.waiting(ws, "v", dead+1, 0)
	proxy.quiet()
	proxy.refuse()
	s.eventually(func() bool { // Redis has seen that the connections are broken
		return len(s.channels()) == 1
	}, func() string { return "the dead client is still subscribed" })
	s.store(ws, "v", 1)
	left, err := s.admin.LLen(s.ctx, s.key("values", "v")).Result()
	if s.must(err); left != 0 {
		s.Error("the store itself did not come as far as the living waiter")
	}
	live.gets("1")
}

// The machine of the first waiter hangs, and its connections stay open.
func v10FrozenClientIsPassedOver(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	away := s.use(rdb)
	s.fetch(away, "v")
	s.waiting(ws, "v", 1, 0)
	live := s.fetch(ws, "v")
	s.waiting(ws, "v", 2, 0)
	proxy.quiet()
	proxy.freeze()
	s.store(ws, "v", 1)
	live.gets("1")
	proxy.refuse()
}

func v10ValueOfADeadWaiterComesBack(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	away := s.use(rdb)
	s.fetch(away, "v")
	s.waiting(ws, "v", 1, 0)
	proxy.quiet()
	proxy.freeze()
	s.store(ws, "v", 1, 2)
	proxy.refuse()
	var got []string
	s.eventually(func() bool {
		got = append(got, s.drain(ws, "v")...)
		return len(got) == 2
	}, func() string { return fmt.Sprintf("of the values 1, 2 came %q", got) })
}

func v10ReconnectedClientGoesOn(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	away := s.use(rdb)
	for i := range 10 {
		fetch, find := s.fetch(away, "v"), s.find(away, "f")
		s.waiting(ws, "v", 1, 0)
		s.waiting(ws, "f", 0, 1)
		proxy.quiet()
		proxy.cut()
		s.store(ws, "v", i)
		s.store(ws, "f", i)
		find.gets(strconv.Itoa(i))
		s.holds(ws, "f", strconv.Itoa(i))
		fetch.gets(strconv.Itoa(i))
		s.holds(ws, "v")
	}
}

func v10DeafClientIsServedByTheBeat(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	away := s.use(rdb)
	fetch, find := s.fetch(away, "v"), s.find(away, "v")
	s.waiting(ws, "v", 1, 1)
	proxy.deafen()
	s.store(ws, "v", 1)
	fetch.gets("1")
	find.gets("1")
	s.holds(ws, "v")
}
