package workspace_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

func ExampleWorkspace_Claim() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	check(ws.StoreAll(ctx, "readings", 21.5, 22, 21))
	claim, err := ws.Claim(ctx, "readings", &workspace.ClaimOptions{Max: 2, Lease: time.Minute})
	check(err)
	for _, v := range claim.Values {
		fmt.Println(v.Index, string(v.Text), claim.Attempt)
	}
	// Output:
	// 1 21.5 1
	// 2 22 1
}

func ExampleClaim_Settle() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	check(ws.Store(ctx, "celsius", 20))
	check(ws.Declare(ctx, "fahrenheit", workspace.FIFO))
	claim, err := ws.Claim(ctx, "celsius", nil)
	check(err)
	outcome := workspace.Outcome{Index: claim.Values[0].Index, Into: "fahrenheit", Value: 68}
	check(claim.Settle(ctx, outcome))
	fmt.Println(errors.Is(claim.Settle(ctx, outcome), workspace.ErrClaimLost)) // a value is settled once

	var t float64
	check(ws.Fetch(ctx, "fahrenheit", &t))
	fmt.Println(t)
	// Output:
	// true
	// 68
}

func ExampleClaim_Renew() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	check(ws.Store(ctx, "readings", 21.5))
	claim, err := ws.Claim(ctx, "readings", &workspace.ClaimOptions{Lease: time.Minute})
	check(err)
	check(claim.Renew(ctx, time.Hour)) // it takes longer
	check(claim.Settle(ctx, workspace.Outcome{Index: claim.Values[0].Index}))
	fmt.Println(errors.Is(claim.Renew(ctx, time.Hour), workspace.ErrClaimLost))
	// Output: true
}

func ExampleClaim_Release() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	check(ws.StoreAll(ctx, "readings", 21.5, 22))
	claim, err := ws.Claim(ctx, "readings", nil)
	check(err)
	check(claim.Release(ctx, claim.Values[0].Index)) // somebody else may do it
	var t float64
	check(ws.Fetch(ctx, "readings", &t))
	fmt.Println(t)
	// Output: 21.5
}

func ExampleWorkspace_EndClaims() {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	check(err)
	defer func() { _ = rdb.Close() }()
	ws, err := workspace.Open(ctx, rdb, "weather", nil)
	check(err)
	worker, err := workspace.Use(ctx, rdb, "weather", false)
	check(err)

	check(ws.Store(ctx, "readings", 21.5))
	first, err := worker.Claim(ctx, "readings", nil)
	check(err)
	check(ws.EndClaims(ctx, "readings", worker.Client())) // its process was seen to end
	second, err := ws.Claim(ctx, "readings", nil)
	check(err)
	fmt.Println(first.Attempt, second.Attempt)
	// Output: 1 2
}
