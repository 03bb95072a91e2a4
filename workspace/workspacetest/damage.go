package workspacetest

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

var damageTests = []test{
	{"DamageChangesNothing", damageChangesNothing},
	{"DamageOfASettlesTarget", damageOfASettlesTarget},
	{"DamageOfWhatIsHanded", damageOfWhatIsHanded},
	{"DamageOfAClaimsDeadline", damageOfAClaimsDeadline},
	{"DamageOfOneVariableSparesOthers", damageOfOneVariableSparesOthers},
	{"DamageIsDeleted", damageIsDeleted},
}

var kinds = []string{"values", "waiters", "handed", "claimed", "deadlines"}

func (s *site) damage(kind, variable string) {
	s.Helper()
	s.must(s.admin.Set(s.ctx, s.key(kind, variable), "damage", 0).Err())
}

// Scripts have no rollback: one that meets a key of a wrong type must say so before it has changed anything.
// A key that a call does not touch may be as it likes, so that not every call has to fail.
func damageChangesNothing(s *site) {
	ws := s.open()
	var text []byte
	for _, kind := range kinds {
		name, failed := "v-"+kind, 0
		s.damage(kind, name)
		if kind != "values" {
			s.push(name, 1, 2)
		}
		for verb, call := range map[string]func() error{
			"Store": func() error { return ws.Store(s.ctx, name, 3) },
			"TryFetch": func() error {
				_, err := ws.TryFetch(s.ctx, name, &text)
				return err
			},
			"TryFind": func() error {
				_, err := ws.TryFind(s.ctx, name, &text)
				return err
			},
			"Claim": func() error {
				_, err := ws.Claim(s.ctx, name, nil)
				return err
			},
		} {
			before := s.snapshot()
			if err := call(); err != nil {
				s.wantErr(err, workspace.ErrDamaged)
				for _, named := range []string{s.name(), name} {
					if !strings.Contains(err.Error(), strconv.Quote(named)) {
						s.Errorf("%s with damaged %s: the error does not name %q: %v", verb, kind, named, err)
					}
				}
				failed++
				// Who is alive, the number of tickets and that a variable is known are nothing that anybody could miss.
				s.unchanged(before, s.key("ws"), s.key("live"), s.key("vars"), s.key("client", ws.Client()), "nws:names")
			}
		}
		if failed == 0 {
			s.Errorf("damaged %s is noticed by no verb", kind)
		}
		for _, k := range kinds {
			s.must(s.admin.Del(s.ctx, s.key(k, name)).Err())
		}
		s.store(ws, name, 4)
		s.holds(ws, name, "4")
	}
}

func damageOfASettlesTarget(s *site) {
	ws := s.open()
	s.declare(ws, "a", workspace.FIFO)
	s.declare(ws, "b", workspace.FIFO)
	s.damage("values", "b")
	s.store(ws, "v", 1, 2)
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 2})
	before := s.snapshot()
	err := claim.Settle(s.ctx, workspace.Outcome{Index: claim.Values[0].Index, Into: "a", Value: 1},
		workspace.Outcome{Index: claim.Values[1].Index, Into: "b", Value: 2})
	if err == nil {
		s.Fatal("settled into a key of a wrong type")
	}
	s.unchanged(before)
	s.must(s.admin.Del(s.ctx, s.key("values", "b")).Err())
}

// What was handed to a fetcher stays when it finds a wrong type as it comes for it.
func damageOfWhatIsHanded(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	fetch := s.fetch(s.use(rdb), "v")
	s.waiting(ws, "v", 1, 0)
	s.declare(ws, "v", workspace.FIFO)
	proxy.quiet()
	proxy.freeze()
	s.store(ws, "v", 1)
	handed := s.admin.HVals(s.ctx, s.key("handed", "v")).Val()
	s.must(s.admin.Del(s.ctx, s.key("waiters", "v")).Err())
	s.damage("waiters", "v")
	proxy.thaw()
	fetch.end()
	s.wantErr(fetch.err, workspace.ErrDamaged)
	if left := s.admin.HVals(s.ctx, s.key("handed", "v")).Val(); len(left) != 1 || !slices.Equal(left, handed) {
		s.Errorf("%q was handed, %q is left", handed, left)
	}
	s.must(s.admin.Del(s.ctx, s.key("waiters", "v")).Err())
}

func damageOfAClaimsDeadline(s *site) {
	ws := s.open()
	s.declare(ws, "r", workspace.FIFO)
	s.store(ws, "v", 1, 2)
	claim := s.claim(ws, "v", &workspace.ClaimOptions{Max: 2})
	s.must(s.admin.Del(s.ctx, s.key("deadlines", "v")).Err())
	before := s.snapshot()
	outcome := workspace.Outcome{Index: claim.Values[0].Index, Into: "r", Value: 3}
	s.wantErr(claim.Settle(s.ctx, outcome), workspace.ErrDamaged)
	s.unchanged(before)
	s.must(claim.Renew(s.ctx, time.Hour))
	s.must(claim.Settle(s.ctx, outcome))
	s.holds(ws, "r", "3")
}

func damageOfOneVariableSparesOthers(s *site) {
	ws := s.open()
	s.store(ws, "good", 1)
	s.store(ws, "bad", 1)
	s.must(s.admin.Del(s.ctx, s.key("values", "bad")).Err())
	s.damage("values", "bad")
	waiters := []*pending{s.fetch(ws, "other"), s.find(ws, "bad2")}
	s.holds(ws, "good", "1")
	s.store(ws, "other", 2)
	waiters[0].gets("2")
	s.must(ws.DeleteVar(s.ctx, "bad"))
	s.store(ws, "bad2", 3)
	waiters[1].gets("3")
	s.holds(ws, "bad")
}

// Whatever is wrong with a workspace, it can be deleted.
func damageIsDeleted(s *site) {
	ws := s.open()
	for _, kind := range kinds {
		s.store(ws, "v-"+kind, 1)
		s.must(s.admin.Del(s.ctx, s.key(kind, "v-"+kind)).Err())
		s.damage(kind, "v-"+kind)
	}
	s.must(s.admin.HSet(s.ctx, s.key("vars"), "strange", "what is this").Err())
	s.must(workspace.Delete(s.ctx, s.rdb, s.name()))
	s.noKeyLeft()
}
