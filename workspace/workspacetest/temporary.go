package workspacetest

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

var temporaryTests = []test{
	{"W5Templates", w5Templates},
	{"W5BadTemplates", w5BadTemplates},
	{"W5NoTwoGetOneName", w5NoTwoGetOneName},
	{"W5ExistingIsSkipped", w5ExistingIsSkipped},
	{"W5OwnedByItsMaker", w5OwnedByItsMaker},
	{"W5Persistent", w5Persistent},
	{"W5ContextEnded", w5ContextEnded},
	{"W5LostReply", w5LostReply},
}

// counterKey holds the number of the last temporary name, for ever.
const counterKey = "nws:counter"

// temporary opens a workspace of a name that nobody else has.
func (s *site) temporary(rdb *redisx.Client, template string, opts *workspace.Options) *workspace.Workspace {
	s.Helper()
	s.forgetCounter()
	ws, err := workspace.OpenTemporary(s.ctx, rdb, template, opts)
	s.must(err)
	s.Cleanup(func() { _ = ws.Close() })
	return ws
}

// forgetCounter has no counter left at the end of the test.
func (s *site) forgetCounter() {
	s.Cleanup(func() { s.admin.Del(context.Background(), counterKey) })
}

// counter is the number of the last temporary name.
func (s *site) counter() int {
	s.Helper()
	n, err := s.admin.HGet(s.ctx, counterKey, "temporary").Int()
	if !errors.Is(err, redis.Nil) {
		s.must(err)
	}
	return n
}

func w5Templates(s *site) {
	for _, template := range []string{
		"%d", "ride_%d", "%d_ride", "ride_%04d", "ride_%4d", "ride_%02d/user", "team/ride_%d", "a %d b", "%0d",
	} {
		ws := s.temporary(s.rdb, template, nil)
		number := s.counter()
		if want := fmt.Sprintf(template, number); ws.Name() != want {
			s.Errorf("template %q gave %q, want %q", template, ws.Name(), want)
		}
		s.store(ws, "v", 1)
		s.fetch(ws, "v").gets("1")
		s.must(ws.Close())
	}
	if n := s.counter(); n < 9 {
		s.Errorf("the counter stands at %d after 9 names", n)
	}
	// A number that has more digits than the template is not cut.
	s.must(s.admin.HSet(s.ctx, counterKey, "temporary", 12345).Err())
	if ws := s.temporary(s.rdb, "ride_%04d", nil); ws.Name() != "ride_12346" {
		s.Errorf("the name is %q", ws.Name())
	}
}

func w5BadTemplates(s *site) {
	s.forgetCounter()
	for _, template := range []string{
		"", "ride", "%", "ride_%", "%%", "%%d", "100%%_%d", "%d%%", "%d%d", "%d_%04d", "%s", "%d_%s", "%v", "%x", "%X", "%o",
		"%b", "%c", "%q", "%U", "%e", "%f", "%5.2f", "%.2d", "%5.3d", "%+d", "% d", "%-5d", "%#d", "%+04d", "%*d", "%[1]d",
		"%[1]d%[1]d", "%ld", "%i", "%u", "%D", "%100d", "%!d", "%%%d", "% %d",
	} {
		_, err := workspace.OpenTemporary(s.ctx, s.rdb, template, nil)
		s.wantErr(err, workspace.ErrName)
		s.names(err, template)
	}
	for _, template := range []string{"a{%d", "a:%d", "/%d", "a\n%d", strings.Repeat("x", 200) + "%d"} { // the name is bad
		_, err := workspace.OpenTemporary(s.ctx, s.rdb, template, nil)
		s.wantErr(err, workspace.ErrName)
	}
	if _, err := workspace.OpenTemporary(s.ctx, s.rdb, "ride_%d", &workspace.Options{Lease: 1}); err == nil {
		s.Error("a lease of 1 ns was accepted")
	}
}

func w5NoTwoGetOneName(s *site) {
	const openers, clients = 100, 4
	s.forgetCounter()
	var rdbs []*redisx.Client
	for range clients {
		rdbs = append(rdbs, s.client())
	}
	spaces := make([]*workspace.Workspace, openers)
	errs := make([]error, openers)
	var all sync.WaitGroup
	for i := range openers {
		all.Go(func() { spaces[i], errs[i] = workspace.OpenTemporary(s.ctx, rdbs[i%clients], "ride_%04d", nil) })
	}
	all.Wait()
	names := map[string]bool{}
	form := regexp.MustCompile(`^ride_\d{4}$`)
	for i, ws := range spaces {
		s.must(errs[i])
		if names[ws.Name()] || !form.MatchString(ws.Name()) || !ws.Mine() {
			s.Errorf("opener %d got %q, owned: %t", i, ws.Name(), ws.Mine())
		}
		names[ws.Name()] = true
	}
	for _, ws := range spaces {
		all.Go(func() { _ = ws.Close() })
	}
	all.Wait()
}

// A name that somebody has is passed over, whether he owns it or not, and nothing of his changes.
func w5ExistingIsSkipped(s *site) {
	first := s.temporary(s.rdb, "ride_%d", nil)
	last := s.counter()
	if want := fmt.Sprintf("ride_%d", last); first.Name() != want {
		s.Fatalf("the name is %q, want %q", first.Name(), want)
	}
	owned, err := workspace.Open(s.ctx, s.rdb, fmt.Sprintf("ride_%d", last+1), nil)
	s.must(err)
	defer func() { _ = owned.Close() }()
	s.store(owned, "v", 1)
	used, err := workspace.Use(s.ctx, s.rdb, fmt.Sprintf("ride_%d", last+2), true)
	s.must(err)
	defer func() {
		_ = used.Close()
		s.must(workspace.Delete(s.ctx, s.rdb, used.Name()))
	}()
	next := s.temporary(s.client(), "ride_%d", nil)
	if want := fmt.Sprintf("ride_%d", last+3); next.Name() != want || !next.Mine() {
		s.Errorf("the name is %q, owned: %t; want %q", next.Name(), next.Mine(), want)
	}
	s.must(next.Close())
	s.holds(owned, "v", "1")
	s.must(used.Store(s.ctx, "v", 1))
}

// W3 from the start: it goes away with its maker, also with one that dies at once.
func w5OwnedByItsMaker(s *site) {
	ws := s.temporary(s.rdb, "ride_%d", nil)
	other, err := workspace.Open(s.ctx, s.client(), ws.Name(), nil)
	s.must(err)
	if !ws.Mine() || other.Mine() {
		s.Errorf("owned by its maker: %t, by who opened it then: %t", ws.Mine(), other.Mine())
	}
	s.must(other.Close())
	s.store(ws, "v", 1)
	s.must(ws.Close())
	_, err = workspace.Use(s.ctx, s.rdb, ws.Name(), false)
	s.wantErr(err, workspace.ErrNoWorkspace)

	rdb, proxy := s.proxied()
	dead := s.temporary(rdb, "ride_%d", &workspace.Options{Lease: 300 * time.Millisecond})
	s.store(dead, "v", 1)
	proxy.refuse()
	s.eventually(func() bool {
		other, err := workspace.Open(s.ctx, s.rdb, "other", nil)
		s.must(err)
		s.must(other.Close())
		there, err := s.admin.Exists(s.ctx, "nws:{"+dead.Name()+"}:ws").Result()
		s.must(err)
		return there == 0
	}, func() string { return "the workspace outlives its maker" })
	proxy.allow()
}

func w5Persistent(s *site) {
	ws := s.temporary(s.rdb, "ride_%d", &workspace.Options{Persistent: true})
	s.store(ws, "v", 1)
	s.must(ws.Close())
	again, err := workspace.Use(s.ctx, s.rdb, ws.Name(), false)
	s.must(err)
	s.holds(again, "v", "1")
	s.must(again.Close())
	s.must(workspace.Delete(s.ctx, s.rdb, ws.Name()))
}

func w5ContextEnded(s *site) {
	s.forgetCounter()
	over, cancel := context.WithCancel(s.ctx)
	cancel()
	_, err := workspace.OpenTemporary(over, s.rdb, "ride_%d", nil)
	s.wantErr(err, context.Canceled)
}

// The reply to the opening is lost: it is sent again, and the workspace is not taken for somebody else's.
func w5LostReply(s *site) {
	rdb, proxy := s.proxied()
	s.temporary(rdb, "ride_%d", nil)
	next := s.counter() + 1
	lost := proxy.catch(replyLost, "ride_"+strconv.Itoa(next)+"}:live", nil).happened
	ws := s.temporary(rdb, "ride_%d", nil)
	<-lost
	if want := fmt.Sprintf("ride_%d", next); ws.Name() != want || !ws.Mine() {
		s.Errorf("the name is %q, owned: %t; want %q", ws.Name(), ws.Mine(), want)
	}
}
