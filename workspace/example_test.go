package workspace_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// weather gives an example a workspace on an embedded server. Programs on different machines would open the same name on
// the same server.
func weather() (ws *workspace.Workspace, done func()) {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	if err != nil {
		log.Fatal(err)
	}
	if ws, err = workspace.Open(ctx, rdb, "weather", nil); err != nil {
		log.Fatal(err)
	}
	return ws, func() { _ = rdb.Close() }
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func Example() {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil) // or redis://host:6379
	check(err)
	defer func() { _ = rdb.Close() }()
	ws, err := workspace.Open(ctx, rdb, "weather", nil)
	check(err)

	go func() { check(ws.Store(ctx, "temperature", 21.5)) }()

	var t float64
	check(ws.Find(ctx, "temperature", &t)) // waits, and leaves the value there
	fmt.Println(t)
	check(ws.Fetch(ctx, "temperature", &t)) // takes it
	fmt.Println(t)
	// Output:
	// 21.5
	// 21.5
}

func ExampleOpen() {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	check(err)
	defer func() { _ = rdb.Close() }()

	owner, err := workspace.Open(ctx, rdb, "weather", &workspace.Options{Lease: time.Minute})
	check(err)
	other, err := workspace.Open(ctx, rdb, "weather", nil)
	check(err)
	fmt.Println(owner.Name(), owner.Mine(), other.Mine())

	check(owner.Close()) // deletes it
	fmt.Println(errors.Is(other.Store(ctx, "temperature", 21.5), workspace.ErrNoWorkspace))
	// Output:
	// weather true false
	// true
}

func ExampleUse() {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	check(err)
	defer func() { _ = rdb.Close() }()

	_, err = workspace.Use(ctx, rdb, "weather", false)
	fmt.Println(errors.Is(err, workspace.ErrNoWorkspace))
	ws, err := workspace.Use(ctx, rdb, "weather", true)
	check(err)
	fmt.Println(ws.Name(), ws.Mine())
	// Output:
	// true
	// weather false
}

func ExampleDelete() {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	check(err)
	defer func() { _ = rdb.Close() }()
	ws, err := workspace.Open(ctx, rdb, "weather", nil)
	check(err)

	check(workspace.Delete(ctx, rdb, "weather"))
	fmt.Println(errors.Is(ws.Store(ctx, "temperature", 21.5), workspace.ErrNoWorkspace))
	fmt.Println(errors.Is(workspace.Delete(ctx, rdb, "weather"), workspace.ErrNoWorkspace))
	// Output:
	// true
	// true
}

func ExampleWorkspace_Close() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	check(ws.Close())
	var t float64
	err := ws.Fetch(ctx, "temperature", &t)
	fmt.Println(errors.Is(err, workspace.ErrClosed) || errors.Is(err, workspace.ErrNoWorkspace))
	fmt.Println(ws.Close())
	// Output:
	// true
	// <nil>
}

func ExampleWorkspace_Store() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	check(ws.Store(ctx, "temperature", 21.5))
	check(ws.Store(ctx, "station", map[string]any{"name": "Kew", "height": 6}))
	var station struct{ Name string }
	check(ws.Find(ctx, "station", &station))
	fmt.Println(station.Name)
	// Output: Kew
}

func ExampleWorkspace_StoreAll() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	check(ws.StoreAll(ctx, "temperature", 21.5, 22, 21))
	var t float64
	for {
		ok, err := ws.TryFetch(ctx, "temperature", &t)
		check(err)
		if !ok {
			break
		}
		fmt.Println(t)
	}
	// Output:
	// 21.5
	// 22
	// 21
}

func ExampleWorkspace_Fetch() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	go func() { check(ws.Store(ctx, "temperature", 21.5)) }()
	var t float64
	check(ws.Fetch(ctx, "temperature", &t)) // waits
	fmt.Println(t)

	hurry, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	fmt.Println(errors.Is(ws.Fetch(hurry, "temperature", &t), context.DeadlineExceeded))
	// Output:
	// 21.5
	// true
}

func ExampleWorkspace_Find() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	go func() { check(ws.Store(ctx, "temperature", 21.5)) }()
	for range 2 {
		var t float64
		check(ws.Find(ctx, "temperature", &t)) // waits, and leaves it there
		fmt.Println(t)
	}
	// Output:
	// 21.5
	// 21.5
}

func ExampleWorkspace_TryFetch() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	var t float64
	ok, err := ws.TryFetch(ctx, "temperature", &t)
	fmt.Println(ok, err)
	check(ws.Store(ctx, "temperature", 21.5))
	ok, err = ws.TryFetch(ctx, "temperature", &t)
	fmt.Println(t, ok, err)
	// Output:
	// false <nil>
	// 21.5 true <nil>
}

func ExampleWorkspace_TryFind() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	check(ws.Store(ctx, "temperature", 21.5))
	for range 2 {
		var t float64
		ok, err := ws.TryFind(ctx, "temperature", &t)
		fmt.Println(t, ok, err)
	}
	// Output:
	// 21.5 true <nil>
	// 21.5 true <nil>
}

func ExampleWorkspace_Declare() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	check(ws.Declare(ctx, "temperature", workspace.Single)) // only the latest value counts
	check(ws.StoreAll(ctx, "temperature", 21.5, 22, 21))
	var t float64
	check(ws.Find(ctx, "temperature", &t))
	fmt.Println(t)
	fmt.Println(errors.Is(ws.Declare(ctx, "temperature", workspace.LIFO), workspace.ErrDeclared))
	// Output:
	// 21
	// true
}

func ExampleWorkspace_DeleteVar() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	check(ws.Store(ctx, "temperature", 21.5))
	check(ws.DeleteVar(ctx, "temperature"))
	fmt.Println(errors.Is(ws.DeleteVar(ctx, "temperature"), workspace.ErrNoVar))
	// Output: true
}

func ExampleWorkspace_ListVars() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	check(ws.StoreAll(ctx, "temperature", 21.5, 22))
	check(ws.Declare(ctx, "wind", workspace.Single))
	vars, err := ws.ListVars(ctx)
	check(err)
	for _, v := range vars {
		fmt.Println(v.Name, v.Mode, v.Values)
	}
	// Output:
	// temperature fifo 2
	// wind single 0
}

func ExampleVar() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	temperature := workspace.NewVar[float64](ws, "temperature")
	check(temperature.Declare(ctx, workspace.FIFO))
	check(temperature.StoreAll(ctx, 21.5, 22))
	check(temperature.Store(ctx, 21))
	first, err := temperature.Find(ctx)
	check(err)
	taken, err := temperature.Fetch(ctx)
	check(err)
	next, ok, err := temperature.TryFind(ctx)
	check(err)
	fmt.Println(temperature.Name(), first, taken, next, ok)
	_, _, err = temperature.TryFetch(ctx)
	check(err)
	check(temperature.Delete(ctx))
	// Output: temperature 21.5 21.5 22 true
}
