package workspace_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

func ExampleOpenTemporary() {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	check(err)
	defer func() { _ = rdb.Close() }()

	for range 2 {
		ws, err := workspace.OpenTemporary(ctx, rdb, "ride_%04d", nil) // nobody else gets this name
		check(err)
		fmt.Println(ws.Name(), ws.Mine())
	}
	// Output:
	// ride_0001 true
	// ride_0002 true
}

func ExampleList() {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	check(err)
	defer func() { _ = rdb.Close() }()

	ws, err := workspace.Open(ctx, rdb, "weather", nil)
	check(err)
	check(ws.Store(ctx, "temperature", 21.5))
	_, err = workspace.Use(ctx, rdb, workspace.Default, false)
	check(err)
	infos, err := workspace.List(ctx, rdb)
	check(err)
	for _, info := range infos {
		fmt.Println(info.Name, info.Mine, info.Persistent, info.Variables)
	}
	// Output:
	// default false true 0
	// weather true false 1
}

func ExampleWorkspace_Watch() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	check(ws.Store(ctx, "temperature", 21.5))
	for vars, err := range ws.Watch(ctx, "temperature") { // now, and after each change
		check(err)
		fmt.Println(vars[0].Name, vars[0].Mode, vars[0].Values)
		if vars[0].Values == 2 {
			break
		}
		check(ws.Store(ctx, "temperature", 22))
	}
	// Output:
	// temperature fifo 1
	// temperature fifo 2
}

func ExampleWorkspace_Known() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	for range 2 {
		known, err := ws.Known(ctx, "temperature")
		fmt.Println(known, err)
		check(ws.Declare(ctx, "temperature", workspace.Single))
	}
	// Output:
	// false <nil>
	// true <nil>
}

// A claim's outcome may go into another workspace whose name begins with the same path.
func ExampleOutcome() {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	check(err)
	defer func() { _ = rdb.Close() }()
	ws, err := workspace.Open(ctx, rdb, "weather", nil)
	check(err)
	public, err := workspace.Open(ctx, rdb, "weather/public", nil)
	check(err)
	check(public.Declare(ctx, "fahrenheit", workspace.FIFO))

	check(ws.Store(ctx, "celsius", 20))
	claim, err := ws.Claim(ctx, "celsius", nil)
	check(err)
	check(claim.Settle(ctx, workspace.Outcome{Index: claim.Values[0].Index, In: public, Into: "fahrenheit", Value: 68}))
	fahrenheit, err := workspace.NewVar[int](public, "fahrenheit").Fetch(ctx)
	fmt.Println(fahrenheit, err)
	// Output: 68 <nil>
}

func ExampleWorkspace_Mine() {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	check(err)
	defer func() { _ = rdb.Close() }()

	first, err := workspace.Open(ctx, rdb, "weather", nil)
	check(err)
	second, err := workspace.Open(ctx, rdb, "weather", nil)
	check(err)
	fmt.Println(first.Mine(), second.Mine()) // when first closes, the workspace goes
	// Output: true false
}

func ExampleNewVar() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	type reading struct {
		Station string
		Celsius float64
	}
	readings := workspace.NewVar[reading](ws, "readings")
	check(readings.Store(ctx, reading{"Kew", 21.5}))
	r, err := readings.Fetch(ctx)
	check(err)
	fmt.Println(r.Station, r.Celsius)
	// Output: Kew 21.5
}

// Clients are handles, in any process.
func ExampleWorkspace_ListClients() {
	ctx, cancel := context.WithCancel(context.Background())
	ws, done := weather()
	defer done()
	waiting := make(chan error)
	go func() { waiting <- ws.Fetch(ctx, "temperature", new(float64)) }()

	for waits := 0; waits == 0; { // until it does
		clients, err := ws.ListClients(ctx)
		check(err)
		for _, c := range clients {
			for _, w := range c.Waits {
				waits++
				fmt.Println(c.Name == ws.Client(), c.PID == os.Getpid(), w.Variable, w.Fetchers, w.Finders)
			}
		}
	}
	cancel()
	fmt.Println(errors.Is(<-waiting, context.Canceled))
	// Output:
	// true true temperature 1 0
	// true
}
