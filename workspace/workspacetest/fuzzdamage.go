package workspacetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// manyClaimed matches an entry of claimed values with a number of them that is only slow to look through.
var manyClaimed = regexp.MustCompile(`^\d{5,} `)

// FuzzDamage puts any content of any type under one of the keys of a variable, as a person could with redis-cli. Each call
// then works, or it fails with an error that names workspace and variable and has changed nothing; other variables do not
// notice it, and the variable can be deleted and used again.
func FuzzDamage(f *testing.F, rdb *redisx.Client) {
	for i := range len(kinds) + 1 {
		f.Add(byte(i), byte(0), "a", "b", 1.5)
		f.Add(byte(i), byte(1), "a", "b", 0.0)
		f.Add(byte(i), byte(2), "client:1", "+5 value", -1.0)
		f.Add(byte(i), byte(3), "client:1", "", 1e300)
		f.Add(byte(i), byte(0), "", "\xff", 0.0)
	}
	f.Add(byte(len(kinds)), byte(2), "", "fifo", 0.0)
	f.Add(byte(len(kinds)), byte(2), "", "stack 7", 0.0)
	f.Add(byte(len(kinds)), byte(2), "", "fifo 99999999999999999999", 0.0)
	claimed, deadlines := byte(slices.Index(kinds, "claimed")), byte(slices.Index(kinds, "deadlines"))
	f.Add(claimed, byte(2), "c", "2 1 client request 7", 0.0)
	f.Add(claimed, byte(2), "c/1", "value", 0.0)
	f.Add(claimed, byte(2), "c", "9000 1 client request 7", 0.0)
	f.Add(deadlines, byte(3), "c", "", 5.0)
	f.Add(deadlines, byte(3), "c", "", 1e11+1)
	f.Add(byte(slices.Index(kinds, "handed")), byte(2), "client:1", "=7", 0.0)
	f.Add(byte(slices.Index(kinds, "waiters")), byte(3), "no number", "", 3.0)
	f.Add(byte(slices.Index(kinds, "waiters")), byte(3), ":", "", 3.0)

	f.Fuzz(func(t *testing.T, which, kind byte, field, value string, score float64) {
		if math.IsNaN(score) || manyClaimed.MatchString(value) {
			return // Redis has no such score, and the other takes long
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		t.Cleanup(cancel)
		s := &site{T: t, ctx: ctx, rdb: rdb, admin: rdb.Redis()}
		t.Cleanup(s.noKeyLeft)
		ws := s.open()
		s.store(ws, "good", "a", "b")
		s.store(ws, "bad", 1, 2)
		d := &damaged{site: s, ws: ws}
		d.put(int(which)%(len(kinds)+1), kind, field, value, score)
		d.tryAll()
		s.must(ws.DeleteVar(ctx, "bad"))
		s.store(ws, "bad", 3)
		s.holds(ws, "bad", "3")
		s.holds(ws, "good", `"a"`, `"b"`)
	})
}

// damaged is a workspace with a damaged variable, "bad".
type damaged struct {
	*site
	ws *workspace.Workspace
}

func (d *damaged) put(which int, kind byte, field, value string, score float64) {
	if which == len(kinds) {
		d.must(d.rdb.Redis().HSet(d.ctx, d.key("vars"), "bad", value).Err())
		return
	}
	r, key := d.rdb.Redis(), d.key(kinds[which], "bad")
	d.must(r.Del(d.ctx, key).Err())
	var err error
	switch kind % 4 {
	case 0:
		err = r.Set(d.ctx, key, value, 0).Err()
	case 1:
		err = r.RPush(d.ctx, key, field, value).Err()
	case 2:
		err = r.HSet(d.ctx, key, field, value).Err()
	case 3:
		err = r.ZAdd(d.ctx, key, redis.Z{Score: score, Member: field}).Err()
	}
	d.must(err)
}

func (d *damaged) tryAll() {
	var text []byte
	there := false
	d.try("ListVars", func() error {
		_, err := d.ws.ListVars(d.ctx)
		return err
	})
	d.try("Known", func() error {
		_, err := d.ws.Known(d.ctx, "bad")
		return err
	})
	d.try("TryFind", func() (err error) {
		there, err = d.ws.TryFind(d.ctx, "bad", &text)
		return err
	})
	d.try("Declare", func() error { return d.ws.Declare(d.ctx, "bad", workspace.FIFO) })
	var claim *workspace.Claim
	d.try("Claim", func() (err error) {
		ctx, cancel := context.WithCancel(d.ctx)
		defer cancel()
		if !there { // it would wait
			cancel()
		}
		claim, err = d.ws.Claim(ctx, "bad", nil)
		return err
	})
	if claim != nil {
		d.try("Renew", func() error { return claim.Renew(d.ctx, time.Minute) })
		d.try("Release", func() error { return claim.Release(d.ctx, indexes(claim)...) })
		d.try("Settle", func() error { return settleAll(d.ctx, claim, "bad") })
	}
	d.try("TryFetch", func() error {
		_, err := d.ws.TryFetch(d.ctx, "bad", &text)
		return err
	})
	d.try("Store", func() error { return d.ws.Store(d.ctx, "bad", 3) })
	d.try("EndClaims", func() error { return d.ws.EndClaims(d.ctx, "bad", d.ws.Client()) })
}

func (d *damaged) try(verb string, call func() error) {
	d.Helper()
	before := d.snapshot()
	err := call()
	after := d.snapshot()
	for _, kind := range kinds { // whatever came of the call
		if key := d.key(kind, "good"); before[key] != after[key] {
			d.Errorf("%s: %s was %q, is %q", verb, key, before[key], after[key])
		}
	}
	if err == nil {
		return
	}
	if !slices.ContainsFunc([]error{
		workspace.ErrDamaged, workspace.ErrDeclared, workspace.ErrClaimLost, workspace.ErrValue, context.Canceled,
	}, func(known error) bool { return errors.Is(err, known) }) {
		d.Errorf("%s: %v is none of the errors that it should be", verb, err)
	}
	if verb != "ListVars" && !strings.Contains(err.Error(), `variable "bad"`) ||
		!strings.Contains(err.Error(), fmt.Sprintf("%q", d.name())) {
		d.Errorf("%s: %v does not name workspace and variable", verb, err)
	}
	d.Logf("%s: %v", verb, err)
	d.unchanged(before, d.key("ws"), d.key("live"), d.key("vars"), d.key("client", d.ws.Client()), "nws:names")
}
