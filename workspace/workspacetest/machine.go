package workspacetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// RunModel compares workspaces with a model of them, call by call, in random sequences of calls. How many sequences, and
// how long, the flags -rapid.checks and -rapid.steps say; a failure comes with the shortest sequence that shows it.
func RunModel(t *testing.T, open func(*testing.T) Server) {
	s := newSite(t, open)
	clients := [2]*redisx.Client{s.rdb, s.client()}
	turn := 0
	rapid.Check(t, func(t *rapid.T) {
		turn++
		m := &machine{T: t, ctx: s.ctx, clients: clients}
		for _, pattern := range []string{"model%d", "model%d/ü x", "other%d"} {
			m.spaces = append(m.spaces, m.open(fmt.Sprintf(pattern, turn)))
		}
		t.Cleanup(m.close)
		m.names = rapid.SliceOfNDistinct(variableNames, 2, 4, rapid.ID).Draw(t, "variables")
		t.Repeat(map[string]func(*rapid.T){
			"":      m.compare,
			"Store": m.store, "StoreAll": m.storeAll, "Declare": m.declare, "DeleteVar": m.deleteVar,
			"Fetch": m.fetch, "Find": m.find, "Known": m.known, "Drain": m.drain,
			"Claim": m.claim, "Claim too": m.claim, "Settle": m.settle, "Renew": m.renew, "EndClaims": m.endClaims,
			"Release": m.release, "Release too": m.release,
			"Wait": m.wait, "DeleteWorkspace": m.deleteWorkspace,
		})
	})
}

// machine makes random calls. It always draws first, then calls, then asks the model.
type machine struct {
	*rapid.T
	ctx     context.Context
	clients [2]*redisx.Client
	spaces  []*machineSpace
	names   []string // of variables, the same in each workspace
}

// machineSpace is a workspace, its model, and two handles on it, each of a client of its own.
type machineSpace struct {
	name    string
	handles [2]*workspace.Workspace
	model   *model
	claims  []*machineClaim
}

type machineClaim struct {
	*workspace.Claim
	model   *modelClaim
	indexes []int
}

func (m *machine) open(name string) *machineSpace {
	s := &machineSpace{name: name, model: newModel()}
	var err error
	s.handles[0], err = workspace.Open(m.ctx, m.clients[0], name, nil)
	m.must(err)
	s.handles[1], err = workspace.Use(m.ctx, m.clients[1], name, false)
	m.must(err)
	return s
}

func (m *machine) close() {
	for _, s := range m.spaces {
		m.must(errors.Join(s.handles[1].Close(), s.handles[0].Close()))
	}
	left, err := m.clients[0].Redis().Keys(m.ctx, "*").Result()
	if m.must(err); len(left) > 0 {
		m.Fatalf("keys are left: %q", left)
	}
}

func (m *machine) must(err error) {
	if err != nil {
		m.Fatalf("unexpected: %v", err)
	}
}

// wantErr checks that an error is the one that the model has; nil stands for none.
func (m *machine) wantErr(what string, err, want error) {
	if !errors.Is(err, want) {
		m.Fatalf("%s: error %v, want %v", what, err, want)
	}
}

// place draws where the next call goes.
func (m *machine) place(t *rapid.T) (s *machineSpace, ws *workspace.Workspace, handle int, variable string) {
	s = m.space(t)
	handle = rapid.IntRange(0, 1).Draw(t, "handle")
	return s, s.handles[handle], handle, rapid.SampledFrom(m.names).Draw(t, "variable")
}

// space draws a workspace, most often the first, where much comes together then.
func (m *machine) space(t *rapid.T) *machineSpace {
	return m.spaces[max(0, rapid.IntRange(0, len(m.spaces)+4).Draw(t, "workspace")-5)]
}

// filled is place for a variable that has a value to give, so that no call blocks for ever.
func (m *machine) filled(t *rapid.T) (s *machineSpace, ws *workspace.Workspace, handle int, variable string, v *modelVar) {
	s, ws, handle, variable = m.place(t)
	if v = s.model.vars[variable]; v == nil || v.available() == 0 {
		t.Skip("nothing is there")
	}
	return s, ws, handle, variable, v
}

// compare lists all variables, and wants what the model has.
func (m *machine) compare(*rapid.T) {
	for _, s := range m.spaces {
		want := []workspace.VarInfo{}
		for name, v := range s.model.vars {
			n := v.available()
			claimed := len(v.claimed) - len(v.free())
			want = append(want, workspace.VarInfo{Name: name, Mode: v.mode, Values: n, Claimed: claimed})
		}
		slices.SortFunc(want, func(a, b workspace.VarInfo) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
		got, err := s.handles[1].ListVars(m.ctx)
		if m.must(err); !slices.Equal(got, want) {
			m.Fatalf("workspace %q lists %+v, want %+v", s.name, got, want)
		}
	}
}

func (m *machine) declare(t *rapid.T) {
	s, ws, _, variable := m.place(t)
	mode := rapid.SampledFrom(append([]workspace.Mode{workspace.Unknown, "FIFO", ""}, allModes...)).Draw(t, "mode")
	err := ws.Declare(m.ctx, variable, mode)
	if !slices.Contains(allModes, mode) {
		m.wantErr("Declare", err, workspace.ErrMode)
		return
	}
	if stays, ok := s.model.declare(variable, mode); !ok {
		m.wantErr("Declare of a "+string(stays), err, workspace.ErrDeclared)
		return
	}
	m.must(err)
}

func (m *machine) deleteVar(t *rapid.T) {
	s, ws, _, variable := m.place(t)
	err := ws.DeleteVar(m.ctx, variable)
	if !s.model.deleteVar(variable) {
		m.wantErr("DeleteVar", err, workspace.ErrNoVar)
		return
	}
	m.must(err)
}

func (m *machine) known(t *rapid.T) {
	s, ws, _, variable := m.place(t)
	known, err := ws.Known(m.ctx, variable)
	if m.must(err); known != (s.model.vars[variable] != nil) {
		m.Fatalf("Known says %t", known)
	}
}

// deleteWorkspace deletes one, sees that its handles are dead, also with a new one of that name, and goes on with that.
func (m *machine) deleteWorkspace(t *rapid.T) {
	s, ws, _, variable := m.place(t)
	m.must(workspace.Delete(m.ctx, m.clients[0], s.name))
	m.wantErr("Delete again", workspace.Delete(m.ctx, m.clients[1], s.name), workspace.ErrNoWorkspace)
	anew := m.open(s.name)
	*s, *anew = *anew, *s
	var text []byte
	_, err := ws.TryFetch(m.ctx, variable, &text)
	m.wantErr("TryFetch", err, workspace.ErrNoWorkspace)
	m.wantErr("Store", ws.Store(m.ctx, variable, 1), workspace.ErrNoWorkspace)
	m.wantErr("Fetch", ws.Fetch(m.ctx, variable, &text), workspace.ErrNoWorkspace)
	m.must(errors.Join(anew.handles[0].Close(), anew.handles[1].Close()))
}
