package sleigh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// ErrNotExported says that nothing is exported by that name.
var ErrNotExported = errors.New("sleigh: not exported")

// Export makes a value known to all functions of the jobs that begin from now on, by Exported. It travels as JSON. It blocks
// for some round trips. It comes from Sleigh's export, which sent a value to each worker; here a worker gets it when a
// function asks for it first.
func (s *Sleigh) Export(ctx context.Context, name string, value any) error {
	if err := s.mayBegin(); err != nil {
		return err
	}
	err := s.own.Declare(ctx, exportVarOf(name), workspace.Single)
	if err == nil {
		err = s.own.Store(ctx, exportVarOf(name), value)
	}
	if err != nil {
		return fmt.Errorf("sleigh: exporting %q: %w", name, err)
	}
	s.exports.Store(time.Now().UnixNano())
	return nil
}

// Unexport ends that, for jobs that begin from now on. It returns ErrNotExported if there is nothing of that name.
func (s *Sleigh) Unexport(ctx context.Context, name string) error {
	if err := s.mayBegin(); err != nil {
		return err
	}
	there, err := s.own.TryFind(ctx, exportVarOf(name), new(json.RawMessage))
	if err == nil && !there {
		return fmt.Errorf("%w: %q", ErrNotExported, name)
	}
	if err == nil {
		err = s.own.DeleteVar(ctx, exportVarOf(name))
	}
	if err != nil && !errors.Is(err, workspace.ErrNoVar) { // somebody was faster
		return fmt.Errorf("sleigh: unexporting %q: %w", name, err)
	}
	s.exports.Store(time.Now().UnixNano())
	return nil
}

// Exported gives a function what the master has exported by a name. It blocks for a round trip when the worker is asked for
// it for the first time since something was exported; else it gives what it has: all functions of the worker share the
// value, and should not change it. It returns ErrNotExported if there is nothing of that name, or ctx is not one of a function.
func Exported[T any](ctx context.Context, name string) (value T, err error) {
	el := elementFrom(ctx)
	if el == nil {
		return value, fmt.Errorf("%w: %q: the context is not one of a function", ErrNotExported, name)
	}
	have, err := el.e.w.imports.get(ctx, el.e.w.own, name, el.e.task.Exports)
	if err != nil {
		return value, err
	}
	if known, ok := have.decoded.Load(reflect.TypeFor[T]()); ok {
		return known.(T), nil
	}
	if err := json.Unmarshal(have.text, &value); err != nil {
		return value, fmt.Errorf("sleigh: what is exported as %q does not convert to %T: %w", name, value, err)
	}
	have.decoded.Store(reflect.TypeFor[T](), value)
	return value, nil
}

// imports is what a worker has of what was exported.
type imports struct {
	mu     sync.Mutex
	byName map[string]*imported
}

type imported struct {
	text json.RawMessage // nil if there is nothing
	seen int64           // as of which change of the exports

	decoded sync.Map // by its type
}

// get gives a value as it was after the change, or is now.
func (m *imports) get(ctx context.Context, own *workspace.Workspace, name string, change int64) (*imported, error) {
	m.mu.Lock()
	defer m.mu.Unlock() // others need it too
	have, known := m.byName[name]
	if !known || have.seen < change {
		have = &imported{seen: change}
		if _, err := own.TryFind(ctx, exportVarOf(name), &have.text); err != nil {
			return nil, fmt.Errorf("sleigh: what is exported as %q: %w", name, err)
		}
		if m.byName == nil {
			m.byName = map[string]*imported{}
		}
		m.byName[name] = have
	}
	if have.text == nil {
		return nil, fmt.Errorf("%w: %q", ErrNotExported, name)
	}
	return have, nil
}
