package sleigh_test

import (
	"context"
	"fmt"
	"log"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// The status says who is in the team, and what workers and jobs do.
func ExampleSleigh_Status() {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer rdb.Close()
	s, err := sleigh.Start(ctx, rdb, &sleigh.Options{Launch: sleigh.InProcess(2), Slots: 3})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = s.Stop(ctx) }()

	if _, err := square.EachWorker(ctx, s, 7); err != nil { // so that both have joined
		log.Fatal(err)
	}
	status, err := s.Status(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, w := range status.Workers {
		fmt.Printf("worker %d runs %d tasks at a time\n", w.Rank, w.Info.Slots)
	}
	fmt.Println(len(status.Jobs), "jobs")
	// Output:
	// worker 0 runs 3 tasks at a time
	// worker 1 runs 3 tasks at a time
	// 0 jobs
}
