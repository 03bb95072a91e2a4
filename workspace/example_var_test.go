package workspace_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/netspaces/netspaces/workspace"
)

func ExampleVar_Store() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	temperature := workspace.NewVar[float64](ws, "temperature")
	check(temperature.Store(ctx, 21.5))
	check(temperature.StoreAll(ctx, 22, 21))
	all, err := temperature.FetchN(ctx, 10)
	fmt.Println(all, err)
	// Output: [21.5 22 21] <nil>
}

func ExampleVar_Fetch() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	temperature := workspace.NewVar[float64](ws, "temperature")
	go func() { check(temperature.Store(ctx, 21.5)) }()
	t, err := temperature.Fetch(ctx) // waits
	fmt.Println(t, err)
	// Output: 21.5 <nil>
}

func ExampleVar_Find() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	temperature := workspace.NewVar[float64](ws, "temperature")
	go func() { check(temperature.Store(ctx, 21.5)) }()
	for range 2 {
		t, err := temperature.Find(ctx) // waits, and leaves it there
		fmt.Println(t, err)
	}
	// Output:
	// 21.5 <nil>
	// 21.5 <nil>
}

func ExampleVar_TryFetch() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	temperature := workspace.NewVar[float64](ws, "temperature")
	check(temperature.Store(ctx, 21.5))
	for range 2 {
		t, ok, err := temperature.TryFetch(ctx)
		fmt.Println(t, ok, err)
	}
	// Output:
	// 21.5 true <nil>
	// 0 false <nil>
}

func ExampleVar_TryFind() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	temperature := workspace.NewVar[float64](ws, "temperature")
	t, ok, err := temperature.TryFind(ctx)
	fmt.Println(t, ok, err)
	check(ws.Store(ctx, "temperature", "warm"))
	_, _, err = temperature.TryFind(ctx)
	fmt.Println(errors.Is(err, workspace.ErrValue))
	// Output:
	// 0 false <nil>
	// true
}

func ExampleVar_Declare() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	temperature := workspace.NewVar[float64](ws, "temperature")
	check(temperature.Declare(ctx, workspace.LIFO)) // the youngest first
	check(temperature.StoreAll(ctx, 21.5, 22, 21))
	t, err := temperature.Fetch(ctx)
	fmt.Println(t, err)
	// Output: 21 <nil>
}

// Deleting is a signal to all who wait.
func ExampleVar_Delete() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	temperature := workspace.NewVar[float64](ws, "temperature")
	it := temperature.IFind()
	for _, err := range it.Try(ctx) { // there is nothing yet
		check(err)
	}
	go func() { check(temperature.Delete(ctx)) }()
	for _, err := range it.All(ctx) { // ends without an error
		check(err)
	}
	_, ok, err := temperature.TryFetch(ctx)
	fmt.Println(ok, err)
	// Output: false <nil>
}

func ExampleSettleError() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	check(ws.StoreAll(ctx, "celsius", 20, 25))
	claim, err := ws.Claim(ctx, "celsius", &workspace.ClaimOptions{Max: 2})
	check(err)
	first, second := claim.Values[0].Index, claim.Values[1].Index
	check(claim.Settle(ctx, workspace.Outcome{Index: first}))
	err = claim.Settle(ctx, workspace.Outcome{Index: first}, workspace.Outcome{Index: second, Into: "fahrenheit", Value: 77})
	if failed, ok := errors.AsType[*workspace.SettleError](err); ok {
		fmt.Println(failed.Lost, failed.Missing) // settled before; no variable to store into
	}
	// Output: [1] [fahrenheit]
}
