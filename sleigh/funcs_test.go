package sleigh_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/netspaces/netspaces/sleigh"
)

// The functions that workers run. With what they have to say to a test they go through the user workspace.

var square = sleigh.Register("square", func(ctx context.Context, x int) (int, error) { return x * x, nil })

var echo = sleigh.Register("echo", func(ctx context.Context, x json.RawMessage) (json.RawMessage, error) { return x, nil })

var nothing = sleigh.Register("nothing", func(ctx context.Context, x int) (*string, error) { return nil, nil })

// length takes a big element, and inflate makes a big result.
var (
	length  = sleigh.Register("length", func(ctx context.Context, x string) (int, error) { return len(x), nil })
	inflate = sleigh.Register("inflate", func(ctx context.Context, n int) (string, error) { return strings.Repeat("é", n), nil })
)

// identity is what a function sees of its worker.
type identity struct {
	Rank, Count, PID int
	Host, Name, User string
}

var identify = sleigh.Register("identify", func(ctx context.Context, x int) (identity, error) {
	w := sleigh.WorkerFrom(ctx)
	return identity{Rank: w.Rank(), Count: w.Count(), PID: os.Getpid(), Host: w.Host(), Name: w.Name(), User: w.User().Name()}, nil
})

// meet returns when all workers are in it at the same time: each waits for its neighbour.
var meet = sleigh.Register("meet", func(ctx context.Context, place string) (int, error) {
	w := sleigh.WorkerFrom(ctx)
	if err := w.User().Store(ctx, fmt.Sprintf("%s@%d", place, w.Rank()), true); err != nil {
		return 0, err
	}
	next := (w.Rank() + 1) % w.Count()
	return w.Rank(), w.User().Find(ctx, fmt.Sprintf("%s@%d", place, next), new(bool))
})

// visit is what wait tells of a run.
type visit struct{ Element, Rank, PID int }

// wait tells that it has begun, and returns once the gate is open.
var wait = sleigh.Register("wait", waitFor)

func waitFor(ctx context.Context, x int) (int, error) {
	w := sleigh.WorkerFrom(ctx)
	if err := w.User().Store(ctx, "begun", visit{x, w.Rank(), os.Getpid()}); err != nil {
		return 0, err
	}
	return x, w.User().Find(ctx, "gate", new(bool))
}

// deaf is wait without an ear for the end of its context. A goroutine must still end before all tests do.
var deaf = sleigh.Register("deaf", func(ctx context.Context, x int) (int, error) {
	w := sleigh.WorkerFrom(ctx)
	if err := w.User().Store(ctx, "begun", visit{x, w.Rank(), os.Getpid()}); err != nil {
		return 0, err
	}
	<-hearing
	return 0, ctx.Err()
})

var hearing = make(chan struct{})

// misbehave does what a function should not; an odd number is squared.
var misbehave = sleigh.Register("misbehave", func(ctx context.Context, how string) (float64, error) {
	switch how {
	case "error":
		return 1, errors.New("did not work out")
	case "panic":
		return deep(0), nil
	case "panic with nil":
		panic(nil)
	case "goexit":
		runtime.Goexit()
	case "nan":
		return math.NaN(), nil
	case "typed nil":
		var e *nilError
		return 1, e
	}
	return 7, nil
})

//go:noinline
func deep(i int) float64 { return []float64{}[i] }

// nilError has an Error that panics, as many do when they are nil.
type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

// once kills its worker the first time that it sees an element which is to kill.
type fatal struct {
	Element int
	Times   int // that it kills the worker before it returns
	Exit    bool
}

var die = sleigh.Register("die", func(ctx context.Context, f fatal) (int, error) {
	user := sleigh.WorkerFrom(ctx).User()
	if f.Times != 0 {
		variable := fmt.Sprintf("died %d", f.Element)
		var died int
		if _, err := user.TryFetch(ctx, variable, &died); err != nil {
			return 0, err
		}
		if err := user.Store(ctx, variable, died+1); err != nil {
			return 0, err
		}
		if f.Times < 0 || died < f.Times {
			if f.Exit {
				os.Exit(0)
			}
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	return f.Element, nil
})

func squareOf(ctx context.Context, x int) (int, error) { return x * x, nil }

// onlyHere registers a function in this process, once it runs tests.
var onlyHere = sync.OnceValue(func() sleigh.Func[int, int] { return sleigh.Register("onlyHere", squareOf) })

var half = sleigh.Register("half", func(ctx context.Context, x float64) (float64, error) { return x / 2, nil })

// pickyText is sent as it is, but not always received.
type pickyText string

func (p *pickyText) UnmarshalJSON(text []byte) error {
	if string(text) == `"bad"` {
		return errors.New("bad text")
	}
	return json.Unmarshal(text, (*string)(p))
}

var picky = sleigh.Register("picky", func(ctx context.Context, x pickyText) (string, error) { return string(x), nil })

var zeros = sleigh.Register("zeros", func(ctx context.Context, n int) ([]byte, error) { return make([]byte, n), nil })
