package workspacetest

import (
	"context"
	"errors"
	"time"

	"pgregory.net/rapid"

	"github.com/netspaces/netspaces/workspace"
)

// wait has one call wait for an empty variable, and ends that in one of the ways that there are.
func (m *machine) wait(t *rapid.T) {
	s, ws, handle, variable := m.place(t)
	if v := s.model.vars[variable]; v != nil && v.available() > 0 {
		t.Skip("there is no need to wait")
	}
	call := rapid.SampledFrom([]string{"Fetch", "Find", "Claim"}).Draw(t, "call")
	end := rapid.SampledFrom([]string{"Store", "cancel", "DeleteVar"}).Draw(t, "end")
	value := machineValues.Draw(t, "value")
	other := s.handles[1-handle]

	ctx, cancel := context.WithCancel(m.ctx)
	var text []byte
	var claim *workspace.Claim
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		switch call {
		case "Fetch":
			err = ws.Fetch(ctx, variable, &text)
		case "Find":
			err = ws.Find(ctx, variable, &text)
		case "Claim":
			claim, err = ws.Claim(ctx, variable, &workspace.ClaimOptions{Lease: lease})
		}
	}()
	defer func() {
		cancel()
		<-ended
	}()
	m.waits(other, variable)
	s.model.look(variable)

	switch end {
	case "Store":
		m.must(other.Store(m.ctx, variable, value.value))
		s.model.store(variable, value.text)
	case "cancel":
		cancel()
	case "DeleteVar":
		m.must(other.DeleteVar(m.ctx, variable))
		s.model.deleteVar(variable)
	}
	select {
	case <-ended:
	case <-time.After(patience):
		m.Fatalf("%s hangs after %s", call, end)
	}
	switch {
	case end == "cancel":
		m.wantErr(call, err, context.Canceled)
	case end == "DeleteVar":
		m.wantErr(call, err, workspace.ErrVarDeleted)
	case err != nil:
		m.Fatalf("%s: %v", call, err)
	case call == "Claim":
		m.claimed(s, handle, variable, claim)
	default:
		m.took(s, verb{fetches: call == "Fetch"}, variable, string(text), true)
	}
}

// waits waits until somebody waits for the variable.
func (m *machine) waits(ws *workspace.Workspace, variable string) {
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		infos, err := ws.ListVars(m.ctx)
		m.must(err)
		for _, info := range infos {
			if info.Name == variable && info.Fetchers+info.Finders == 1 {
				return
			}
		}
		if time.Now().After(deadline) {
			m.must(errors.New("nobody waits"))
		}
		time.Sleep(pause)
	}
}
