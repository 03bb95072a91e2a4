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

// maxText is how many bytes a task or a result may have. Only tests change it.
var maxText = workspace.MaxValue

// aroundValues is how many of these may stand around the values of a result.
const aroundValues = 4096

// runner runs a registered function for elements of a task, until e says that it is enough.
type runner func(e *execution)

var registry = struct {
	sync.Mutex
	byName map[string]runner
}{byName: map[string]runner{}}

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
	registry.byName[name] = func(e *execution) {
		args, errs := decodeAll[A](e.task.Elems, e.task.N)
		results := make([]R, e.task.N)
		e.encode = func(from, to int) (json.RawMessage, map[int]error) { return encodeAll(results[from:to]) }
		e.run(func(ctx context.Context, turn, k int) {
			if err := errs[k]; err != nil {
				e.end(turn, fmt.Errorf("its argument does not convert to %T: %w", args[k], err), nil)
				return
			}
			r, err := f(ctx, args[k])
			e.end(turn, err, func() { results[k] = r })
		})
	}
	return Func[A, R]{name: name}
}

// Name returns the name that the function was registered by.
func (f Func[A, R]) Name() string { return f.name }

func registered(name string) runner {
	registry.Lock()
	defer registry.Unlock()
	return registry.byName[name]
}
