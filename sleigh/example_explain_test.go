package sleigh_test

import (
	"context"
	"fmt"
	"log"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// A team that works, or has nothing to do, gives no reasons.
func ExampleSleigh_Explain() {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer rdb.Close()
	s, err := sleigh.Start(ctx, rdb, &sleigh.Options{Launch: sleigh.InProcess(2)})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = s.Stop(ctx) }()

	if _, err := square.EachWorker(ctx, s, 7); err != nil { // so that both have joined
		log.Fatal(err)
	}
	reasons, err := s.Explain(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range reasons {
		fmt.Println(r) // in words; r.Cause and the other fields are the same as data
	}
	fmt.Println(len(reasons), "reasons")
	// Output: 0 reasons
}
