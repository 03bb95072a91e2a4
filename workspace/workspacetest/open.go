package workspacetest

import (
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/workspace"
)

var openTests = []test{
	{"W1OpenOwns", w1OpenOwns},
	{"W1FirstOwnerDecides", w1FirstOwnerDecides},
	{"W1FirstOwnerDecidesAfterUse", w1FirstOwnerDecidesAfterUse},
	{"W1OpenNew", w1OpenNew},
	{"W1PersistentStaysWithANewOwner", w1PersistentStaysWithANewOwner},
	{"W1ClosedPersistentHasNoOwner", w1ClosedPersistentHasNoOwner},
	{"W2UseNeverOwns", w2UseNeverOwns},
	{"W4IncarnationsDiffer", w4IncarnationsDiffer},
	{"OpenAnotherVersion", openAnotherVersion},
	{"WNames", wNames},
	{"WNestedNames", wNestedNames},
}

func w1OpenOwns(s *site) {
	first := s.open()
	second := s.openBy(s.client(), nil)
	third := s.use(s.client())
	if !first.Mine() || second.Mine() || third.Mine() {
		s.Errorf("owners: %t %t %t, want the first only", first.Mine(), second.Mine(), third.Mine())
	}
	if first.Name() != s.name() {
		s.Errorf("name %q", first.Name())
	}
	s.store(first, "v", 1)
	s.find(second, "v").gets("1")
	s.find(third, "v").gets("1")
}

// One that is to be new is refused where there is one, whoever owns it, and leaves that alone.
func w1OpenNew(s *site) {
	isNew := &workspace.Options{New: true}
	user, err := workspace.Use(s.ctx, s.rdb, s.name(), true)
	s.must(err)
	_, err = workspace.Open(s.ctx, s.rdb, s.name(), isNew)
	s.wantErr(err, workspace.ErrExists)
	s.store(user, "v", 1)
	s.must(user.Close())
	s.must(user.Delete(s.ctx))

	owner := s.openBy(s.rdb, isNew)
	if !owner.Mine() {
		s.Errorf("who made it does not own it")
	}
	s.wantErr(user.Delete(s.ctx), workspace.ErrNoWorkspace) // that was another one
	_, err = workspace.Open(s.ctx, s.client(), s.name(), isNew)
	s.wantErr(err, workspace.ErrExists)
	s.store(owner, "v", 1)
}

func w1FirstOwnerDecides(s *site) {
	passing := s.open()
	s.store(passing, "v", 1)
	wish := s.openBy(s.client(), &workspace.Options{Persistent: true})
	s.must(passing.Close())
	s.wantErr(wish.Store(s.ctx, "v", 2), workspace.ErrNoWorkspace)
	s.must(wish.Close())

	staying := s.openBy(s.rdb, &workspace.Options{Persistent: true})
	s.store(staying, "v", 3)
	wish = s.openBy(s.client(), nil)
	s.must(wish.Close())
	s.must(staying.Close())
	s.holds(s.use(s.rdb), "v", "3")
	s.must(workspace.Delete(s.ctx, s.rdb, s.name()))
}

// Whoever made the workspace by Use does not own it, so the first to open it decides.
func w1FirstOwnerDecidesAfterUse(s *site) {
	user, err := workspace.Use(s.ctx, s.rdb, s.name(), true)
	s.must(err)
	defer func() { _ = user.Close() }()
	owner := s.openBy(s.rdb, &workspace.Options{Persistent: true, Lease: 100 * time.Millisecond})
	if !owner.Mine() {
		s.Fatal("the first to open a workspace that nobody owned does not own it")
	}
	s.store(owner, "v", 1)
	s.must(owner.Close())
	s.leaseEnded()
	next := s.openBy(s.client(), nil)
	s.holds(next, "v", "1")
	s.holds(user, "v")
	s.must(next.Close())
	s.must(workspace.Delete(s.ctx, s.rdb, s.name()))
}

// leaseEnded waits until Redis' clock has passed the lease of the test's workspace, or somebody has deleted it for that.
func (s *site) leaseEnded() {
	s.Helper()
	s.eventually(func() bool {
		ends, err := s.admin.HGet(s.ctx, s.key("ws"), "lease").Int64()
		if errors.Is(err, redis.Nil) {
			return true
		}
		s.must(err)
		now, err := s.admin.Time(s.ctx).Result()
		s.must(err)
		return now.UnixMilli() > ends
	}, func() string { return "the lease does not end" })
}

// An owner dies, and the next one wishes the workspace not to be persistent: too late.
func w1PersistentStaysWithANewOwner(s *site) {
	rdb, proxy := s.proxied()
	first := s.openBy(rdb, &workspace.Options{Persistent: true, Lease: 100 * time.Millisecond})
	s.store(first, "v", 1)
	proxy.refuse()
	s.leaseEnded()
	second := s.openBy(s.client(), nil)
	if !second.Mine() {
		s.Error("nobody owned it, and who opened it does not own it")
	}
	s.must(second.Close())
	s.holds(s.use(s.rdb), "v", "1")
	s.must(workspace.Delete(s.ctx, s.rdb, s.name()))
}

// An owner that closes owns no more, also where the workspace stays.
func w1ClosedPersistentHasNoOwner(s *site) {
	first := s.openBy(s.rdb, &workspace.Options{Persistent: true, Lease: time.Hour})
	s.must(first.Close())
	second := s.openBy(s.client(), nil)
	if !second.Mine() {
		s.Error("its owner closed it, and who opened it then does not own it")
	}
	s.must(second.Close())
	s.must(workspace.Delete(s.ctx, s.rdb, s.name()))
}

func w2UseNeverOwns(s *site) {
	_, err := workspace.Use(s.ctx, s.rdb, s.name(), false)
	s.wantErr(err, workspace.ErrNoWorkspace)
	s.noKeyLeft()

	user, err := workspace.Use(s.ctx, s.rdb, s.name(), true)
	s.must(err)
	if user.Mine() {
		s.Error("Use owns the workspace that it made")
	}
	s.store(user, "v", 1)
	s.must(user.Close())
	s.holds(s.use(s.client()), "v", "1")

	owner := s.open()
	if !owner.Mine() {
		s.Error("nobody owned it, and who opened it does not own it")
	}
	s.must(owner.Close())
	_, err = workspace.Use(s.ctx, s.rdb, s.name(), false)
	s.wantErr(err, workspace.ErrNoWorkspace)
}

func w4IncarnationsDiffer(s *site) {
	old := s.openBy(s.client(), nil)
	waiters := []*pending{s.fetch(old, "v"), s.find(old, "v"), s.claims(old, "v", nil)}
	s.waiting(old, "v", 2, 1)
	s.must(workspace.Delete(s.ctx, s.rdb, s.name()))
	anew := s.open()
	s.store(anew, "v", "new")
	for _, w := range waiters {
		w.fails(workspace.ErrNoWorkspace)
	}
	s.keepsFailing(old)
	s.must(old.Close()) // it owned the one before, not this one
	again := s.openBy(s.client(), nil)
	if !anew.Mine() || again.Mine() {
		s.Error("the old owner took or lost what is not its own")
	}
	s.holds(again, "v", `"new"`)
}

// A workspace that programs of another version made, or of none, is left as it is, and both versions are named.
func openAnotherVersion(s *site) {
	ws := s.open()
	s.store(ws, "v", 1)
	rdb := s.client()
	for _, version := range []string{"0", "2", ""} {
		if version == "" {
			version = "0"
			s.must(s.admin.HDel(s.ctx, s.key("ws"), "version").Err())
		} else {
			s.must(s.admin.HSet(s.ctx, s.key("ws"), "version", version).Err())
		}
		before := s.snapshot()
		for what, call := range map[string]func() error{
			"Open": func() error {
				_, err := workspace.Open(s.ctx, rdb, s.name(), nil)
				return err
			},
			"Use": func() error {
				_, err := workspace.Use(s.ctx, rdb, s.name(), false)
				return err
			},
			"Use, making it": func() error {
				_, err := workspace.Use(s.ctx, rdb, s.name(), true)
				return err
			},
			"Delete": func() error { return workspace.Delete(s.ctx, rdb, s.name()) },
		} {
			err := call()
			s.wantErr(err, workspace.ErrVersion)
			if s.names(err, s.name()); !strings.Contains(err.Error(), "version "+version+", ") || !strings.Contains(err.Error(), "with 1;") {
				s.Errorf("%s does not name both versions: %v", what, err)
			}
		}
		s.unchanged(before)
	}
	s.must(s.admin.HSet(s.ctx, s.key("ws"), "version", "1").Err())
	s.holds(s.use(rdb), "v", "1")
}

// keepsFailing calls every verb on a handle whose workspace is gone.
func (s *site) keepsFailing(ws *workspace.Workspace) {
	s.Helper()
	var text []byte
	want := workspace.ErrNoWorkspace
	s.wantErr(ws.Store(s.ctx, "v", 1), want)
	s.wantErr(ws.Fetch(s.ctx, "v", &text), want)
	s.wantErr(ws.Find(s.ctx, "v", &text), want)
	_, err := ws.TryFetch(s.ctx, "v", &text)
	s.wantErr(err, want)
	_, err = ws.TryFind(s.ctx, "v", &text)
	s.wantErr(err, want)
	s.wantErr(ws.Declare(s.ctx, "v", workspace.LIFO), want)
	s.wantErr(ws.DeleteVar(s.ctx, "v"), want)
	_, err = ws.ListVars(s.ctx)
	s.wantErr(err, want)
	_, err = ws.Claim(s.ctx, "v", nil)
	s.wantErr(err, want)
	s.wantErr(ws.EndClaims(s.ctx, "v", "nobody"), want)
}

func wNames(s *site) {
	for _, bad := range []string{
		"", "/", "/a", "a{b", "a}b", "a:b", "a\nb", "\x00", "\x7f", "a\u0085", strings.Repeat("x", 201),
	} {
		_, err := workspace.Open(s.ctx, s.rdb, bad, nil)
		s.wantErr(err, workspace.ErrName)
		_, err = workspace.Use(s.ctx, s.rdb, bad, true)
		s.wantErr(err, workspace.ErrName)
		s.wantErr(workspace.Delete(s.ctx, s.rdb, bad), workspace.ErrName)
	}
	s.noKeyLeft()
	for _, good := range []string{"a", "a/b", "a//b", "a/", "ünïcödé", "a b", "*", "[a]", `"'`, strings.Repeat("x", 200)} {
		ws, err := workspace.Open(s.ctx, s.rdb, good, nil)
		s.must(err)
		s.store(ws, "v", 1)
		s.must(ws.Close())
		s.noKeyLeft()
	}
	_, err := workspace.Open(s.ctx, s.rdb, "a", &workspace.Options{Lease: time.Millisecond})
	if err == nil {
		s.Error("a lease of 1 ms was accepted")
	}
}

func wNestedNames(s *site) {
	var spaces []*workspace.Workspace
	for _, name := range []string{"p", "p/user", "p/user/v", "pp"} {
		ws, err := workspace.Open(s.ctx, s.rdb, name, nil)
		s.must(err)
		defer func() { _ = ws.Close() }()
		s.store(ws, "v", name)
		spaces = append(spaces, ws)
	}
	s.must(workspace.Delete(s.ctx, s.rdb, "p"))
	s.wantErr(spaces[0].Store(s.ctx, "v", 1), workspace.ErrNoWorkspace)
	for _, ws := range spaces[1:] {
		s.holds(ws, "v", `"`+ws.Name()+`"`)
	}
}
