package redisx_test

import (
	"context"
	"fmt"

	"github.com/netspaces/netspaces/redisx"
)

func ExampleClient_Doctor() {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = rdb.Close() }()

	report := rdb.Doctor(ctx) // fmt.Print(report) prints it all
	for _, check := range report.Checks {
		if check.Name == "persistence" {
			fmt.Println(check.State, "-", check.Detail)
		}
	}
	// Output: warning - in memory only: all data goes with the program that embeds it
}
