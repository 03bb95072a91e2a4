package workspacetest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"pgregory.net/rapid"

	"github.com/netspaces/netspaces/workspace"
)

func (m *machine) store(t *rapid.T) {
	s, ws, _, variable := m.place(t)
	value := machineValues.Draw(t, "value")
	m.must(ws.Store(m.ctx, variable, value.value))
	s.model.store(variable, value.text)
}

func (m *machine) storeAll(t *rapid.T) {
	s, ws, _, variable := m.place(t)
	var values []any
	var texts []string
	for _, v := range rapid.SliceOfN(machineValues, 0, 6).Draw(t, "values") {
		values, texts = append(values, v.value), append(texts, v.text)
	}
	if rapid.IntRange(0, 9).Draw(t, "spoil") == 0 {
		err := ws.StoreAll(m.ctx, variable, append(values, func() {})...)
		m.wantErr("StoreAll of a function", err, workspace.ErrValue)
		return
	}
	m.must(ws.StoreAll(m.ctx, variable, values...))
	if len(texts) > 0 {
		s.model.store(variable, texts...)
	}
}

// verb is one that gives a value, as it may be called.
type verb struct {
	fetches, tries bool
	call           func(ctx context.Context, variable string, into any) (bool, error)
}

func verbOf(ws *workspace.Workspace, fetches, tries bool) verb {
	v := verb{fetches: fetches, tries: tries}
	switch {
	case fetches && tries:
		v.call = ws.TryFetch
	case tries:
		v.call = ws.TryFind
	case fetches:
		v.call = func(ctx context.Context, name string, into any) (bool, error) { return true, ws.Fetch(ctx, name, into) }
	default:
		v.call = func(ctx context.Context, name string, into any) (bool, error) { return true, ws.Find(ctx, name, into) }
	}
	return v
}

func (m *machine) fetch(t *rapid.T) { m.take(t, true) }
func (m *machine) find(t *rapid.T)  { m.take(t, false) }

// take fetches or finds, into bytes, or into a number, which not every value is. It does not wait where nothing is there.
func (m *machine) take(t *rapid.T, fetches bool) {
	s, ws, _, variable := m.place(t)
	known := s.model.vars[variable]
	empty := known == nil || known.available() == 0
	verb := verbOf(ws, fetches, empty || rapid.Bool().Draw(t, "try"))
	if !empty && rapid.IntRange(0, 3).Draw(t, "number") == 0 {
		m.takeNumber(s, verb, variable)
		return
	}
	var text []byte
	ok, err := verb.call(m.ctx, variable, &text)
	m.must(err)
	m.took(s, verb, variable, string(text), ok)
}

func (m *machine) takeNumber(s *machineSpace, verb verb, variable string) {
	var got int
	v := s.model.look(variable)
	ok, err := verb.call(m.ctx, variable, &got)
	if !ok {
		m.Fatalf("nothing came, want one of %.200q; %v", v.next(), err)
	}
	fits := slices.DeleteFunc(slices.Clone(v.next()), func(text string) bool {
		var want int
		converts := json.Unmarshal([]byte(text), &want) == nil
		return converts != (err == nil) || want != got && converts
	})
	if len(fits) == 0 || err != nil && !errors.Is(err, workspace.ErrValue) {
		m.Fatalf("came %d, %v; want one of %.200q", got, err, v.next())
	}
	if verb.fetches && v.mode != workspace.Multi || len(v.free()) > 0 {
		m.took(s, verb, variable, fits[0], true)
	} else if verb.fetches {
		m.resolve(s, variable, fits)
	}
}

// resolve finds out which of some values of a multi variable it was that did not convert, by what is left.
func (m *machine) resolve(s *machineSpace, variable string, fits []string) {
	left := m.drained(s.handles[0], variable)
	v := s.model.look(variable)
	for _, text := range left {
		if !slices.Contains(v.values, text) {
			m.Fatalf("%.100q came, want one of %.200q", text, v.values)
		}
		v.fetch(text)
	}
	if len(v.values) != 1 || !slices.Contains(fits, v.values[0]) {
		m.Fatalf("after one of %.200q was taken and the others, %.200q are left", fits, v.values)
	}
	v.values = nil
}

// took asks the model whether this could come.
func (m *machine) took(s *machineSpace, verb verb, variable, text string, ok bool) {
	v := s.model.look(variable)
	next := v.next()
	if ok != (len(next) > 0) || ok && !slices.Contains(next, text) {
		m.Fatalf("came %.100q, %t; want one of %.200q", text, ok, next)
	}
	if ok && verb.fetches {
		v.fetch(text)
	}
}

func (m *machine) drained(ws *workspace.Workspace, variable string) (texts []string) {
	for {
		var text []byte
		ok, err := ws.TryFetch(m.ctx, variable, &text)
		if m.must(err); !ok {
			return texts
		}
		texts = append(texts, string(text))
	}
}

// drain takes all that is there, and so compares all of it.
func (m *machine) drain(t *rapid.T) {
	s, ws, _, variable, v := m.filled(t)
	for _, text := range m.drained(ws, variable) {
		m.took(s, verb{fetches: true}, variable, text, true)
	}
	if v.available() > 0 {
		m.Fatalf("nothing more came, want one of %.200q", v.next())
	}
}
