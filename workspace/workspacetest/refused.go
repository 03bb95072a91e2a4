package workspacetest

import (
	"net/url"
	"strconv"

	"github.com/netspaces/netspaces/workspace"
)

var refusedTests = []test{
	{"V4WithoutPubSub", v4WithoutPubSub},
	{"V7WithoutPubSub", v7WithoutPubSub},
}

// mute gives a client whose user may neither publish nor subscribe.
func (s *site) mute() *workspace.Workspace {
	s.Helper()
	s.must(s.admin.Do(s.ctx, "ACL", "SETUSER", "mute", "on", ">secret", "allkeys", "resetchannels",
		"+@all", "-publish", "-subscribe", "-psubscribe").Err())
	address, err := url.Parse(s.rdb.URL())
	s.must(err)
	address.User = url.UserPassword("mute", "secret")
	return s.use(s.clientAt(address.String(), nil))
}

// Where the server lets nobody publish or subscribe, the beat alone serves all who wait.
func v4WithoutPubSub(s *site) {
	ws := s.open()
	mute := s.mute()
	for i, c := range []struct {
		name            string
		storing, asking *workspace.Workspace
	}{
		{"who stores", mute, ws}, {"who waits", ws, mute}, {"both", mute, mute},
	} {
		v := strconv.Itoa(i)
		fetch, find, claim := s.fetch(c.asking, v), s.find(c.asking, v), s.claims(c.asking, "c"+v, nil)
		s.waiting(ws, v, 1, 1)
		s.waiting(ws, "c"+v, 1, 0)
		s.store(c.storing, v, i)
		s.store(c.storing, "c"+v, i)
		s.Log(c.name, " may not publish or subscribe")
		fetch.gets(v)
		find.gets(v)
		claim.end()
		s.must(claim.err)
		s.holds(ws, v)
	}
}

func v7WithoutPubSub(s *site) {
	ws := s.open()
	mute := s.mute()
	waiters := []*pending{s.fetch(mute, "v"), s.find(mute, "v"), s.fetch(ws, "v"), s.find(ws, "v")}
	s.waiting(ws, "v", 2, 2)
	s.must(mute.DeleteVar(s.ctx, "v"))
	s.store(ws, "v", "new")
	for _, w := range waiters {
		w.fails(workspace.ErrVarDeleted)
	}
	s.holds(ws, "v", `"new"`)
}
