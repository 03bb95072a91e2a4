package sleigh_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// Another program, which needs none of the functions, looks in and cancels a job.
func ExampleVisit() {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer rdb.Close()
	s, err := sleigh.Start(ctx, rdb, &sleigh.Options{Name: "farm", Launch: sleigh.InProcess(2)})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = s.Stop(ctx) }()
	job, err := wait.Submit(ctx, s, upTo(10), nil) // its functions wait for something that nobody stores
	if err != nil {
		log.Fatal(err)
	}

	visitor, err := sleigh.Visit(ctx, rdb, "farm")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = visitor.Stop(ctx) }()
	status, err := visitor.Status(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, j := range status.Jobs {
		fmt.Println("cancels", j.Func)
		if err := visitor.CancelJob(ctx, j.ID); err != nil {
			log.Fatal(err)
		}
	}

	_, err = job.Wait(ctx)
	fmt.Println(errors.Is(err, sleigh.ErrEnded))
	_, err = sleigh.Visit(ctx, rdb, "another")
	fmt.Println(err)
	// Output:
	// cancels wait
	// true
	// sleigh: no such team: "another"
}
