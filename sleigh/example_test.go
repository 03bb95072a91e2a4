package sleigh_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

var cube = sleigh.Register("cube", func(ctx context.Context, x int) (int, error) { return x * x * x, nil })

// A program with workers in other processes has sleigh.Local(4) here, or nothing, and sleigh.Main() first thing in main.
func ExampleStart() {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer rdb.Close()
	s, err := sleigh.Start(ctx, rdb, &sleigh.Options{Launch: sleigh.InProcess(4)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = s.Stop(ctx) }()

	cubes, err := cube.EachElem(ctx, s, slices.Values([]int{1, 2, 3}), nil)
	fmt.Println(s.Workers(), cubes, err)
	// Output: 4 [1 8 27] <nil>
}

var shout = sleigh.Register("shout", func(ctx context.Context, text string) (string, error) {
	if text == "" {
		return "", errors.New("nothing to shout")
	}
	return strings.ToUpper(text), nil
})

func ExampleRegister() {
	s, end := team(2)
	defer end()
	texts, err := shout.EachElem(context.Background(), s, slices.Values([]string{"hey", "ho"}), nil)
	fmt.Println(shout.Name(), texts, err)
	// Output: shout [HEY HO] <nil>
}

// Elements for which the function fails do not keep the others from having results.
func ExampleFunc_EachElem() {
	s, end := team(2)
	defer end()
	texts, err := shout.EachElem(context.Background(), s, slices.Values([]string{"hey", "", "ho"}), nil)
	fmt.Printf("%q\n", texts)
	if failed, ok := errors.AsType[sleigh.TaskErrors](err); ok {
		for _, e := range failed {
			fmt.Println("element", e.Index, "failed:", e.Message)
		}
	}
	// Output:
	// ["HEY" "" "HO"]
	// element 1 failed: nothing to shout
}

var greet = sleigh.Register("greet", func(ctx context.Context, greeting string) (string, error) {
	w := sleigh.WorkerFrom(ctx)
	var name string
	// Find waits until somebody has stored the name, and leaves it there for the other workers.
	err := w.User().Find(ctx, "name", &name)
	return fmt.Sprintf("%s, %s, from %d of %d", greeting, name, w.Rank(), w.Count()), err
})

func ExampleFunc_EachWorker() {
	ctx := context.Background()
	s, end := team(3)
	defer end()
	if err := s.User().Store(ctx, "name", "Santa"); err != nil {
		fmt.Println(err)
	}
	greetings, err := greet.EachWorker(ctx, s, "Hello")
	fmt.Println(strings.Join(greetings, "\n"), err)
	// Output:
	// Hello, Santa, from 0 of 3
	// Hello, Santa, from 1 of 3
	// Hello, Santa, from 2 of 3 <nil>
}

// team makes the examples short.
func team(workers int) (s *sleigh.Sleigh, end func()) {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	if err != nil {
		panic(err)
	}
	s, err = sleigh.Start(ctx, rdb, &sleigh.Options{Launch: sleigh.InProcess(workers)})
	if err != nil {
		panic(err)
	}
	return s, func() { _ = errors.Join(s.Stop(ctx), rdb.Close()) }
}
