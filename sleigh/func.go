package sleigh

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/netspaces/netspaces/workspace"
)

// Func is a registered function from A to R. Both travel as JSON.
type Func[A, R any] struct{ name string }

// maxResult leaves room for what stands around a result.
const maxResult = workspace.MaxValue - 4096

// run is a registered function as a worker sees it.
type run func(ctx context.Context, arg json.RawMessage) (json.RawMessage, error)

var registry = struct {
	sync.Mutex
	byName map[string]run
}{byName: map[string]run{}}

// Register makes a function known by name, to master and workers alike: call it before Main, best in a package-level
// variable. The function should return soon after its context ends. It panics if the name is empty or taken.
func Register[A, R any](name string, f func(ctx context.Context, arg A) (R, error)) Func[A, R] {
	registry.Lock()
	defer registry.Unlock()
	if name == "" {
		panic("sleigh: Register: the name is empty")
	}
	if registry.byName[name] != nil {
		panic(fmt.Sprintf("sleigh: Register: there is a function named %q already", name))
	}
	registry.byName[name] = func(ctx context.Context, text json.RawMessage) (json.RawMessage, error) {
		var arg A
		if err := json.Unmarshal(text, &arg); err != nil {
			return nil, fmt.Errorf("its argument does not convert to %T: %w", arg, err)
		}
		value, err := f(ctx, arg)
		if err != nil {
			return nil, err
		}
		result, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("its result does not convert to JSON: %w", err)
		}
		if len(result) > maxResult {
			return nil, fmt.Errorf("its result has %d bytes, %d are allowed", len(result), maxResult)
		}
		return result, nil
	}
	return Func[A, R]{name: name}
}

// Name returns the name that the function was registered by.
func (f Func[A, R]) Name() string { return f.name }

func registered(name string) run {
	registry.Lock()
	defer registry.Unlock()
	return registry.byName[name]
}
