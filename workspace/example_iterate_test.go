package workspace_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

func ExampleVar_IFind() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	temperature := workspace.NewVar[float64](ws, "temperature")
	check(temperature.StoreAll(ctx, 21.5, 22))
	go func() { check(temperature.Store(ctx, 21)) }()
	for t, err := range temperature.IFind().All(ctx) { // waits for more
		check(err)
		fmt.Println(t)
		if t == 21 {
			break
		}
	}
	all, err := temperature.FetchN(ctx, 10) // they are still there
	fmt.Println(all, err)
	// Output:
	// 21.5
	// 22
	// 21
	// [21.5 22 21] <nil>
}

func ExampleVar_IFetch() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	temperature := workspace.NewVar[float64](ws, "temperature")
	check(temperature.StoreAll(ctx, 21.5, 22, 21))
	for t, err := range temperature.IFetch().Try(ctx) { // others that do so get other values
		check(err)
		fmt.Println(t)
		if t == 22 {
			break
		}
	}
	left, err := temperature.Fetch(ctx)
	fmt.Println(left, err)
	// Output:
	// 21.5
	// 22
	// 21 <nil>
}

// Deleting the variable ends the loop: a signal that no more will come.
func ExampleIterator_All() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	temperature := workspace.NewVar[float64](ws, "temperature")
	check(temperature.StoreAll(ctx, 21.5, 22))
	for t, err := range temperature.IFetch().All(ctx) {
		check(err)
		fmt.Println(t)
		if t == 22 {
			go func() { check(temperature.Delete(ctx)) }()
		}
	}
	fmt.Println("the end")

	hurry, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	for _, err := range temperature.IFetch().All(hurry) {
		fmt.Println(errors.Is(err, context.DeadlineExceeded))
	}
	// Output:
	// 21.5
	// 22
	// the end
	// true
}

func ExampleIterator_Try() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	temperature := workspace.NewVar[float64](ws, "temperature")
	it := temperature.IFind()
	for _, some := range [][]float64{{21.5, 22}, {}, {21}} {
		check(temperature.StoreAll(ctx, some...))
		for t, err := range it.Try(ctx) { // what came since
			check(err)
			fmt.Print(t, " ")
		}
		fmt.Println(".")
	}
	// Output:
	// 21.5 22 .
	// .
	// 21 .
}

func ExampleIterator_Reset() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	temperature := workspace.NewVar[float64](ws, "temperature")
	check(temperature.Declare(ctx, workspace.Single))
	it := temperature.IFind()
	latest := func() {
		for t, err := range it.Try(ctx) {
			check(err)
			fmt.Println(t)
		}
	}
	check(temperature.StoreAll(ctx, 21.5, 22))
	latest()
	latest() // nothing new
	it.Reset()
	latest()
	// Output:
	// 22
	// 22
}

func ExampleWorkspace_FetchN() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	check(ws.StoreAll(ctx, "readings", 21.5, "calm", 21))
	values, err := ws.FetchN(ctx, "readings", 2) // waits for the first only
	check(err)
	for _, text := range values {
		fmt.Println(string(text))
	}
	// Output:
	// 21.5
	// "calm"
}

func ExampleVar_FetchN() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	check(ws.StoreAll(ctx, "temperature", 21.5, 22, "unknown", 21))
	temperature := workspace.NewVar[float64](ws, "temperature")
	values, err := temperature.FetchN(ctx, 100)
	fmt.Println(values, errors.Is(err, workspace.ErrValue)) // what is no number stays, with what follows
	// Output: [21.5 22] true
}
